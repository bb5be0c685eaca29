package bench

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/reports/live"
)

// address is one that a page is opened at.
type address struct {
	path string
	// turn asks for the next part of its list, too.
	turn bool
	// download: it is a file that is sent while it is read.
	download bool
}

// addresses gives where a page is opened; none where it has parameters that
// nothing is known of. A page without parameters is opened as it is, besides.
func (z PagesSize) addresses(route string) []address {
	var all []address
	at := func(format string, args ...any) { all = append(all, address{path: fmt.Sprintf(format, args...)}) }
	list := func(format string, args ...any) {
		all = append(all, address{path: fmt.Sprintf(format, args...), turn: true})
	}
	file := func(path string) { all = append(all, address{path: path, download: true}) }
	if !strings.Contains(route, ":") {
		list("%s", route)
	}
	ids := z.IDs()
	tool := ids[len(ids)-1]
	half := z.Rows / 2
	switch route {
	case "/connections/new":
		all = nil
		at("/connections/new?connector=generic-webhook")
	case "/connections/:id":
		at("/connections/site")
		at("/connections/%s", ids[6])
		at("/connections/%s", tool)
	case "/connections/:id/edit":
		at("/connections/%s/edit", tool)
	case "/connections/:id/rules":
		at("/connections/shop/rules")
	case "/connections/:id/rules/:version":
		at("/connections/shop/rules/1")
	case "/plan/versions/:version":
		at("/plan/versions/1")
	case "/people":
		at("/people?next=%d", z.People/2)
		list("/people?q=person1")
		at("/people?q=email:person12@example.com")
		at("/people?q=nobody-of-that-name")
		list("/people?stage=%s", url.QueryEscape("Retained Customer"))
		list("/people?segment=quiet")
		at("/people?segment=quiet&next=%d", z.People/2)
	case "/people/:id":
		at("/people/%d", z.People/3)
		list("/people/%d", z.longest())
	case "/accounts":
		list("/accounts?stage=Known")
		list("/accounts?q=c12")
		at("/accounts?q=nobody-of-that-name")
	case "/accounts/:key":
		list("/accounts/%s", accountKey(z.People/peoplePerAccount/3))
	case "/people/:id/keys":
		at("/people/%d/keys", z.People/3)
		at("/people/%d/keys", z.longest())
	case "/segments/:name/members.csv":
		file("/segments/asked/members.csv")
	case "/settings/erased":
		all = nil
		file(route)
	case "/people/erasures/:id":
		at("/people/erasures/1")
	case "/api/docs/:chapter":
		at("/api/docs/profiles")
		at("/api/docs/connections")
	case "/funnel":
		all = nil
		list("/funnel?who=there&stage=Customer")
	case "/inbox":
		at("/inbox?next=%d", half)
		list("/inbox?connection=shop")
		list("/inbox?connection=%s", tool) // nothing comes from there
		for _, status := range []string{"pending", "done", "ignored", "quarantined", "failed"} {
			list("/inbox?status=%s", status)
		}
		list("/inbox?status=failed&connection=shop")
		list("/inbox?status=failed&step=map&reason=expression")
		at("/inbox?status=failed&reason=none")
		list("/inbox?type=Survey:Answered")
		at("/inbox?type=none.of.this")
		at("/inbox?since=2001-01-01T00:00:00Z&until=2002-01-01T00:00:00Z")
	case "/inbox/:id":
		at("/inbox/%d", half)
		at("/inbox/%d", z.crowded())
		at("/inbox/%d", z.Rows)
	case "/reports/:name":
		for _, r := range live.Reports() {
			at("/reports/%s", r.Name)
		}
		at("/reports/funnel?segment=quiet&from=2025-01-01")
	case "/sync":
		for _, state := range []string{"pending", "submitted", "unconfirmed", "synced", "failed", "skipped"} {
			list("/sync?state=%s", state)
		}
		list("/sync?connection=%s", tool)
		list("/sync?connection=%s&state=failed", tool)
		list("/sync?state=failed&reason=rejected")
		at("/sync?state=failed&reason=none")
	case "/settings/audit":
		list("/settings/audit?author=user-7")
		list("/settings/audit?subject=connection:shop")
		at("/settings/audit?action=none")
	}
	return all
}
