package helpscout

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// customer reads one customer. Help Scout shows addresses and properties along
// with the customer.
func (c *Connector) customer(ctx context.Context, id string) (*customer, error) {
	var got customer
	if _, err := c.api.call(ctx, "read a customer", http.MethodGet, "/customers/"+id, nil, &got); err != nil {
		return nil, err
	}
	if got.ID <= 0 {
		return nil, badAnswer("read a customer")
	}
	return &got, nil
}

// search finds the customers with an address, the oldest first; there may be
// several. Help Scout's search may find more than was asked for, so whoever is
// not shown with the address is not taken. A quote would end the query's text;
// an address with one is nobody's here.
func (c *Connector) search(ctx context.Context, address string) ([]customer, error) {
	if strings.ContainsAny(address, `"\`) {
		return nil, nil
	}
	var got page
	query := url.Values{"query": {`(email:"` + address + `")`}}
	if _, err := c.api.call(ctx, "find a customer by address", http.MethodGet, "/customers?"+query.Encode(), nil, &got); err != nil {
		return nil, err
	}
	var all []customer
	for _, one := range got.Embedded.Customers {
		if one.ID <= 0 {
			continue
		}
		if !one.showsAddresses() {
			whole, err := c.customer(ctx, one.id())
			if connectors.ReasonOf(err) == connectors.ReasonNotFound {
				continue
			}
			if err != nil {
				return nil, err
			}
			one = *whole
		}
		if one.has(address) {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b customer) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// listed reads one page of customers, from 1.
func (c *Connector) listed(ctx context.Context, number int) (*page, error) {
	var got page
	query := url.Values{"page": {strconv.Itoa(number)}, "sortField": {"createdAt"}, "sortOrder": {"asc"}}
	_, err := c.api.call(ctx, "list customers", http.MethodGet, "/customers?"+query.Encode(), nil, &got)
	return &got, err
}
