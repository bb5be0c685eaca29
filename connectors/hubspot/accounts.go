package hubspot

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

var _ connectors.AccountDestination = (*Connector)(nil)

// Companies are written by id. Their domain is no unique property at HubSpot,
// so they are searched by it and cannot be upserted.
var (
	companyByID  = form{"update companies", "/crm/v3/objects/companies/batch/update", "", func(it *item) string { return it.id }}
	companyAnew  = form{"create companies", "/crm/v3/objects/companies/batch/create", "", func(it *item) string { return it.domain }}
	companiesPer = 100 // records of one page of a search
)

// companyPages bounds the pages of one search: a domain with hundreds of
// duplicates must not hold up the others.
const companyPages = 5

// createdPause is how long the search may take to know a company that was made
// just now (HubSpot: "may take a few moments to appear in search results",
// developers.hubspot.com, "Search the CRM"). Whoever tries again after an answer
// that did not come must not make a second one.
const createdPause = time.Minute

// AccountLimits implements connectors.AccountDestination, with the budget of
// contacts.
func (c *Connector) AccountLimits() connectors.Limits {
	l := c.Limits()
	l.Concurrency = 1
	return l
}

// PushAccounts implements connectors.AccountDestination: companies found by id
// or domain get sb_stage and sb_segments. HubSpot's own lifecycle stage of a
// company is left alone, since it follows that of its contacts.
func (c *Connector) PushAccounts(ctx context.Context, updates []connectors.AccountUpdate) ([]connectors.Result, error) {
	if !c.authenticated() {
		return nil, lacks("push companies", "the connection has no access token")
	}
	p := &push{c: c, schema: c.companies, splits: maxSplits}
	for i := range updates {
		p.items = append(p.items, newCompany(&updates[i]))
	}
	p.prepareStages(ctx, property{GroupName: ownGroup, Name: ownStageProperty, Label: "Stagebridge stage", Type: "enumeration", FieldType: "select"})
	p.prepareSegments(ctx)
	p.writeCompanies(ctx)
	return p.results()
}

// newCompany compares what is wanted of an account with what is known.
func newCompany(u *connectors.AccountUpdate) *item {
	it := &item{
		update: &connectors.Update{ID: u.ID, VendorID: u.VendorID, Want: u.Want, Known: u.Known}, fields: map[string]string{},
		domain: strings.ToLower(u.Domain), name: u.Name,
	}
	if digits(u.VendorID) {
		it.id = u.VendorID
	}
	if it.id == "" && it.domain == "" {
		it.skip(connectors.ReasonNoIdentity, "neither a domain nor a HubSpot company id is known")
		return it
	}
	if u.Want.Stage != "" && (u.Known == nil || u.Known.Stage != u.Want.Stage) {
		it.stage = u.Want.Stage
	}
	if len(u.Want.Segments)+len(u.Want.Absent) > 0 {
		it.join, it.leave = moved(u.Want, u.Known)
		it.segments = u.Known == nil || len(it.join)+len(it.leave) > 0
	}
	if it.stage == "" && !it.segments {
		it.finish(connectors.Result{Outcome: connectors.OK, VendorID: it.id})
	}
	return it
}

// writeCompanies brings the changed properties to the companies there are, and
// makes those that are not where the connection may.
func (p *push) writeCompanies(ctx context.Context) {
	p.findCompanies(ctx)
	p.updateCompanies(ctx)
	gone := false
	for _, it := range p.open() {
		if it.missing { // deleted; the account may be there under another id
			it.missing, it.id, gone = false, "", true
		}
	}
	if gone {
		p.findCompanies(ctx)
		p.updateCompanies(ctx)
	}
	var lacking []*item
	for _, it := range p.open() {
		switch {
		case it.missing:
			it.skip(connectors.ReasonNotInVendor, "the company was deleted at HubSpot")
		case it.id != "":
		case it.domain == "":
			it.skip(connectors.ReasonNotInVendor, "HubSpot has no company "+it.update.VendorID)
		case !p.c.createsCompanies():
			it.skip(connectors.ReasonNotInVendor, "HubSpot has no company with this domain, and the push does not create any")
		default:
			lacking = append(lacking, it)
		}
	}
	p.send(ctx, companyAnew, lacking, func(it *item) map[string]string {
		fields := merged(it.fields, "domain", it.domain)
		if it.name != "" {
			fields["name"] = it.name
		}
		return fields
	})
	for _, it := range lacking {
		if it.result.Outcome == connectors.Retry {
			it.result.Delay = max(it.result.Delay, createdPause)
		}
		if it.whole && p.failure.Retryable {
			p.failure.RetryAfter = max(p.failure.RetryAfter, createdPause)
		}
	}
}

func (c *Connector) createsCompanies() bool {
	return c.config.Push.Accounts != nil && c.config.Push.Accounts.Create
}

// updateCompanies writes those whose id is known and who were not written yet.
func (p *push) updateCompanies(ctx context.Context) {
	var known []*item
	for _, it := range p.open() {
		if it.id != "" && len(it.written) == 0 {
			known = append(known, it)
		}
	}
	p.send(ctx, companyByID, known, changedFields)
}

// findCompanies looks ids up by domain. Of several companies with one domain
// the oldest is taken, which is the one that HubSpot's own merging keeps. A domain
// that HubSpot does not know leaves the id empty.
func (p *push) findCompanies(ctx context.Context) {
	wanted := map[string][]*item{}
	var items []*item
	for _, it := range p.open() {
		if it.id == "" && it.domain != "" {
			wanted[it.domain], items = append(wanted[it.domain], it), append(items, it)
		}
	}
	after := ""
	for page := 0; len(wanted) > 0 && page < companyPages; page++ {
		if p.stop != nil {
			p.fail(items, p.stop)
			return
		}
		q := companySearch{
			FilterGroups: []filterGroup{{[]filter{{"domain", "IN", sortedKeys(wanted)}}}},
			Properties:   []string{"domain"}, Limit: companiesPer, After: after,
		}
		var got searchAnswer
		if _, err := p.c.call(ctx, "search companies", http.MethodPost, "/crm/v3/objects/companies/search", q, &got); err != nil {
			p.halt(items, asPush(err))
			return
		}
		for i := range got.Results {
			o := &got.Results[i]
			for _, it := range wanted[strings.ToLower(o.property("domain"))] {
				if digits(o.ID) && (it.id == "" || olderID(o.ID, it.id)) {
					it.id = o.ID
				}
			}
		}
		if after = got.Paging.Next.After; after == "" {
			return
		}
	}
}

// olderID compares two record ids, which HubSpot counts up.
func olderID(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) < 0
}
