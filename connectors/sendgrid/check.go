package sendgrid

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Check implements connectors.Checker: the key's scopes, and where they cover
// Marketing Campaigns the number of contacts.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var key struct {
		Scopes []string `json:"scopes"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/v3/scopes", nil, &key); err != nil {
		return "", err
	}
	marketing := slices.ContainsFunc(key.Scopes, func(s string) bool { return strings.HasPrefix(s, "marketing") })
	if !marketing && !c.cfg.Push.Enabled {
		return fmt.Sprintf("SendGrid takes the API key, which has %d scopes; none is for Marketing Campaigns, which pushing needs", len(key.Scopes)), nil
	}
	var count struct {
		Contacts int64 `json:"contact_count"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/v3/marketing/contacts/count", nil, &count); err != nil {
		return "", err
	}
	return fmt.Sprintf("SendGrid takes the API key; Marketing Campaigns holds %d contacts", count.Contacts), nil
}
