package stripe

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// pageSize is the most objects of one page of a list
// (https://docs.stripe.com/api/pagination).
const pageSize = 100

// byID reads a customer; nil when it is not there or was deleted, which Stripe
// answers with 200 and a mark.
func (c *Connector) byID(ctx context.Context, id string) (*customer, error) {
	const act = "read a customer"
	var cust customer
	_, err := c.api.do(ctx, call{act: act, method: http.MethodGet, path: customerPath(id)}, &cust)
	switch {
	case missing(err):
		return nil, nil
	case err != nil:
		return nil, err
	case cust.Object != "customer" || cust.ID == "":
		return nil, badAnswer(act, "the answer is not a customer")
	case cust.Deleted:
		return nil, nil
	}
	return &cust, nil
}

// byEmail lists the customers of an address, newest first. Stripe compares the
// address with regard to case and lets many customers have the same one.
func (c *Connector) byEmail(ctx context.Context, email string) ([]customer, error) {
	return c.customers(ctx, "find a customer", url.Values{"email": {email}, "limit": {strconv.Itoa(pageSize)}})
}

func (c *Connector) customers(ctx context.Context, act string, query url.Values) ([]customer, error) {
	list, err := c.page(ctx, act, query)
	if err != nil {
		return nil, err
	}
	return list.Data, nil
}

func (c *Connector) page(ctx context.Context, act string, query url.Values) (*customerList, error) {
	var list customerList
	if _, err := c.api.do(ctx, call{act: act, method: http.MethodGet, path: "/v1/customers", form: query}, &list); err != nil {
		return nil, err
	}
	if list.Object != "list" {
		return nil, badAnswer(act, "the answer is not a list")
	}
	return &list, nil
}

// find gives the customer of an update: the one known by id, else the newest of
// the address, else nil.
func (c *Connector) find(ctx context.Context, u *connectors.Update) (*customer, error) {
	if u.VendorID != "" {
		cust, err := c.byID(ctx, u.VendorID)
		if cust != nil || err != nil {
			return cust, err
		}
	}
	email := strings.TrimSpace(u.Email)
	if email == "" {
		return nil, nil
	}
	all, err := c.byEmail(ctx, email)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}
