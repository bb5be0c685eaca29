package hubspot

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"
)

// Check implements connectors.Checker: one request, which needs no scope.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var d accountDetails
	if _, err := c.call(ctx, "read the account", http.MethodGet, "/account-info/v3/details", nil, &d); err != nil {
		return "", err
	}
	return fmt.Sprintf("HubSpot account %d (%s), time zone %s, data held in %s", d.PortalID,
		cmp.Or(d.AccountType, "type not told"), cmp.Or(d.TimeZone, "not told"), cmp.Or(d.DataHostingLocation, "a place not told")), nil
}

// accountFresh is how long the account's currency is remembered.
const accountFresh = time.Hour

// account remembers what is read of the account itself.
type account struct {
	turn     chan struct{} // guards the fields below
	currency string
	until    time.Time
}

// addCurrency looks the account's currency up when a deal has an amount and
// names no currency, as in accounts with a single one. When it cannot be read
// those deals wait: a sum that is left out would be missed by nobody.
func (c *Connector) addCurrency(ctx context.Context, f *findings) {
	needed := false
	for s, o := range f.objects {
		needed = needed || s.kind == "deal" && o.property("amount") != "" && o.property("deal_currency_code") == ""
	}
	if !needed {
		return
	}
	if err := lock(ctx, "read the account", c.account.turn); err != nil {
		f.noCurrency = asPush(err)
		return
	}
	defer func() { <-c.account.turn }()
	if now := c.now(); now.After(c.account.until) {
		var d accountDetails
		if _, err := c.call(ctx, "read the account", http.MethodGet, "/account-info/v3/details", nil, &d); err != nil {
			f.noCurrency = asPush(err)
			return
		}
		c.account.currency, c.account.until = d.CompanyCurrency, now.Add(accountFresh)
	}
	f.currency = c.account.currency
}
