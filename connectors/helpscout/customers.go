package helpscout

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
// several. A quote in the address would end the query's text.
func (c *Connector) search(ctx context.Context, address string) ([]customer, error) {
	address = strings.NewReplacer(`"`, "", `\`, "").Replace(address)
	var got page
	query := url.Values{"query": {`(email:"` + address + `")`}}
	if _, err := c.api.call(ctx, "find a customer by address", http.MethodGet, "/customers?"+query.Encode(), nil, &got); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(got.Embedded.Customers, func(one customer) bool { return one.ID <= 0 || !one.has(address) })
	slices.SortFunc(all, func(a, b customer) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	return all, nil
}

// listed reads one page of customers, from 1.
func (c *Connector) listed(ctx context.Context, number int) (*page, error) {
	var got page
	query := url.Values{"page": {strconv.Itoa(number)}, "sortField": {"createdAt"}, "sortOrder": {"asc"}}
	_, err := c.api.call(ctx, "list customers", http.MethodGet, "/customers?"+query.Encode(), nil, &got)
	return &got, err
}
