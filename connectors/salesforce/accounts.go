package salesforce

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

var _ connectors.AccountDestination = (*Connector)(nil)

// accountBatch keeps the queries of one push to a few: a website is written in
// many ways, and each is asked for.
const accountBatch = 50

// AccountLimits implements connectors.AccountDestination.
func (c *Connector) AccountLimits() connectors.Limits {
	return connectors.Limits{Batch: accountBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// createsAccounts reports whether a push of accounts may make records.
func (c *Connector) createsAccounts() bool {
	return c.cfg.Push.Accounts != nil && c.cfg.Push.Accounts.Create
}

// object names the object of an item's record.
func (it *item) object() string {
	if it.account != nil {
		return objectAccount
	}
	return objectOf(it.id)
}

// PushAccounts implements connectors.AccountDestination: accounts are found by
// id, else by their website, else by the id that an earlier push gave them, and
// get the fields of stage and segments under the same names as people.
func (c *Connector) PushAccounts(ctx context.Context, updates []connectors.AccountUpdate) ([]connectors.Result, error) {
	p := &push{c: c}
	for i := range updates {
		p.items = append(p.items, c.newAccount(&updates[i]))
	}
	if waiting := p.open(func(*item) bool { return true }); len(waiting) > 0 {
		err := c.mayAsk("push accounts")
		if err == nil {
			err = c.fields.need(ctx, objectAccount)
		}
		if err != nil {
			p.halt(waiting, err)
			return p.results()
		}
	}
	p.findAccounts(ctx, p.open(func(it *item) bool { return it.id == "" }))
	p.update(ctx, p.open(func(it *item) bool { return it.id != "" }))
	p.findAccounts(ctx, p.open(func(it *item) bool { return it.id == "" && it.lost }))
	p.update(ctx, p.open(func(it *item) bool { return it.id != "" && it.again }))
	p.createAccounts(ctx, p.open(func(it *item) bool { return it.id == "" }))
	return p.results()
}

// newAccount compares what is wanted of an account with what is known.
func (c *Connector) newAccount(a *connectors.AccountUpdate) *item {
	it := &item{account: a, u: &connectors.Update{ID: a.ID, VendorID: a.VendorID, Want: a.Want, Known: a.Known}}
	if isID(a.VendorID, "001") {
		it.id = id18(a.VendorID)
	}
	if it.id == "" && a.Domain == "" {
		it.skip(connectors.ReasonNoIdentity, "neither a domain nor a Salesforce account is known")
		return it
	}
	if it.fields = c.differing(it.u, a.Known); len(it.fields) == 0 {
		it.finish(connectors.Result{Outcome: connectors.OK, VendorID: it.id})
	}
	return it
}

// websites are the ways in which people write a domain into the field Website.
func websites(domain string) []string {
	var all []string
	for _, scheme := range []string{"", "https://", "http://"} {
		for _, host := range []string{"", "www."} {
			for _, end := range []string{"", "/"} {
				all = append(all, scheme+host+domain+end)
			}
		}
	}
	return all
}

// websiteDomain is the way back.
func websiteDomain(website string) string {
	s := strings.ToLower(strings.TrimSpace(website))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	s, _, _ = strings.Cut(s, "/")
	return strings.TrimPrefix(s, "www.")
}

// findAccounts finds records by website. Of several with one website the oldest
// is taken, so that every push comes to the same.
func (p *push) findAccounts(ctx context.Context, items []*item) {
	if len(items) == 0 || p.stopped(items) {
		return
	}
	var values []string
	for _, it := range items {
		for _, w := range websites(it.account.Domain) {
			if !slices.Contains(values, w) {
				values = append(values, w)
			}
		}
	}
	found := map[string]map[string]any{}
	for _, chunk := range chunks(values) {
		rows, err := p.c.query(ctx, "find accounts", "SELECT Id,Website,CreatedDate FROM Account WHERE Website IN "+quotedList(chunk))
		if err != nil {
			p.halt(items, err)
			return
		}
		for _, row := range rows {
			domain := websiteDomain(text(row["Website"]))
			if have := found[domain]; isID(text(row["Id"]), "001") && (have == nil || older(row, have)) {
				found[domain] = row
			}
		}
	}
	for _, it := range items {
		switch row := found[it.account.Domain]; {
		case row != nil:
			it.is(row)
		case !p.c.createsAccounts():
			it.skip(connectors.ReasonNotInVendor, "Salesforce has no account with this website, and the push creates none")
		}
	}
}

// older compares records by the time they were made and then by id.
func older(a, b map[string]any) bool {
	return cmp.Or(strings.Compare(text(a["CreatedDate"]), text(b["CreatedDate"])), strings.Compare(text(a["Id"]), text(b["Id"]))) < 0
}

// createAccounts makes records, or finds those that an answer was lost about,
// as create does.
func (p *push) createAccounts(ctx context.Context, items []*item) {
	if len(items) == 0 || p.stopped(items) {
		return
	}
	records := make([]record, len(items))
	for i, it := range items {
		r := p.c.differing(it.u, nil)
		r["attributes"], r[p.c.external] = attributes{objectAccount}, accountExternalID(it.account.Key)
		r["Name"], r["Website"] = cmp.Or(it.account.Name, it.account.Domain), it.account.Domain
		records[i] = r
	}
	p.write(ctx, "create accounts", p.c.root+updatePath+"/"+objectAccount+"/"+p.c.external, items, records)
}

// accountExternalID is what a record that we made is found by again, in 80
// characters.
func accountExternalID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("account-%s", hex.EncodeToString(sum[:20]))
}
