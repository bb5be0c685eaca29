package web_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

// Bounds of a page, however much is stored.
const (
	pageStatements = 12
	pageBytes      = 100_000
)

type askedKey struct{}

// countAsked counts the statements of a request that measured makes.
func countAsked(ctx context.Context, _ string) {
	if n, ok := ctx.Value(askedKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}

// measured opens a page as somebody logged in and gives its statements.
func (l *lab) measured(path string) (int64, *httptest.ResponseRecorder) {
	l.Helper()
	var n atomic.Int64
	r := httptest.NewRequestWithContext(context.WithValue(l.Context(), askedKey{}, &n), http.MethodGet, "https://"+pageHost+path, nil)
	for _, h := range l.browser() {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	l.web.ServeHTTP(w, r)
	return n.Load(), w
}

// costAddresses gives where each page is opened; those without parameters are
// opened as they are, besides.
func costAddresses(raw int64) map[string][]string {
	reports := []string{"/reports/cohorts?unit=week"}
	for _, r := range live.Reports() {
		reports = append(reports, "/reports/"+r.Name)
	}
	return map[string][]string{
		"/connections/new":                {"/connections/new?connector=lab"},
		"/connections/:id":                {"/connections/c00", "/connections/c33"},
		"/connections/:id/edit":           {"/connections/c00/edit"},
		"/connections/:id/rules":          {"/connections/c00/rules"},
		"/connections/:id/rules/:version": {"/connections/c00/rules/1"},
		"/plan/versions/:version":         {"/plan/versions/1"},
		"/people":                         {"/people?q=p", "/people?q=nobody", "/people?q=email:p1", "/people?stage=Customer", "/people?segment=at_risk"},
		"/people/:id":                     {"/people/1", "/people/2"},
		"/accounts":                       {"/accounts?stage=Known", "/accounts?q=example", "/accounts?q=none"},
		"/accounts/:key":                  {"/accounts/domain:example.com", "/accounts/domain:example.com?before=1"},
		"/people/:id/keys":                {"/people/1/keys", "/people/2/keys"},
		"/segments/:name/members.csv":     {"/segments/at_risk/members.csv"},
		"/inbox": {"/inbox?connection=c01", "/inbox?type=none", "/inbox?status=pending", "/inbox?status=done", "/inbox?status=ignored",
			"/inbox?status=failed", "/inbox?status=failed&connection=c00", "/inbox?status=failed&reason=none", "/inbox?since=2001-01-01T00:00&until=2002-01-01T00:00"},
		"/inbox/:id":     {"/inbox/" + fmt.Sprint(raw)},
		"/reports/:name": reports,
		"/sync": {"/sync?state=pending", "/sync?state=submitted", "/sync?state=unconfirmed", "/sync?state=synced", "/sync?state=failed", "/sync?state=skipped",
			"/sync?connection=c03", "/sync?connection=c03&state=failed", "/sync?state=failed&reason=invalid", "/sync?state=failed&reason=none"},
		"/settings/audit":      {"/settings/audit?author=admin", "/settings/audit?action=none"},
		"/funnel":              {"/funnel?who=there&stage=Customer"},
		"/people/:id/export":   {"/people/1/export"},
		"/people/erasures/:id": {"/people/erasures/1"},
		"/api/docs/:chapter":   {"/api/docs/profiles", "/api/docs/connections", "/api/docs/access"},
	}
}

// TestPagesStayLight opens every page, and the second parts of lists, of a
// workspace with many connections and a person with a long past, and counts
// statements and bytes.
func TestPagesStayLight(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	raw := fillMany(t, l)
	addresses := costAddresses(raw)
	opened := 0
	for _, route := range l.web.Pages() {
		paths := addresses[route]
		if !strings.Contains(route, ":") && route != "/funnel" && route != "/connections/new" { // which are of something
			paths = append(paths, route)
		}
		if len(paths) == 0 {
			t.Errorf("nothing is known of where to open the page %s; name an address in costAddresses", route)
		}
		for _, path := range paths {
			for range 2 { // the second part of a list, too
				n, w := l.measured(path)
				opened++
				bytes := w.Body.Len()
				if w.Header().Get("Content-Disposition") != "" {
					bytes, n = 0, 0 // a file that is sent while it is read
				}
				if w.Code != 200 || n > pageStatements || bytes > pageBytes {
					t.Errorf("%s: status %d, %d statements, %d bytes; at most %d and %d", path, w.Code, n, bytes, pageStatements, pageBytes)
				}
				next := regexp.MustCompile(`href="([^"]*[?;]next=[^"]*)"`).FindStringSubmatch(w.Body.String())
				if next == nil {
					break
				}
				path, _, _ = strings.Cut(html.UnescapeString(next[1]), "#")
			}
		}
	}
	if opened < 60 {
		t.Errorf("%d pages were opened; are the routes still found?", opened)
	}
}

// manyAccounts lets people of a domain belong together.
const manyAccounts = "\naccounts: { by: [domain], stages: [ { name: Known }, { name: Client, when: 'any(was(\"Customer\"))' } ] }\n"

// fillMany stores people of many connections, in every state, and gives a raw
// event that is a person's.
func fillMany(t *testing.T, l *lab) int64 {
	t.Helper()
	for i := range 34 {
		l.connect(fmt.Sprintf("c%02d", i), &connectors.PushConfig{Enabled: i >= 30})
	}
	classic, _ := plans.Source("classic")
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: string(classic) + manyAccounts, Author: "admin"}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.admin.PublishRules(t.Context(), "c00", 0, store.Versioned{Source: labRules, Author: "admin"}); err != nil {
		t.Fatal(err)
	}
	var events []store.NewEvent
	add := func(kind, body string) {
		at := lifecycle.At(l.now.Add(-time.Duration(len(events)) * time.Minute))
		e := store.NewEvent{Type: kind, At: at, Body: []byte(body)}
		copy(e.Dedupe[:], fmt.Sprint(len(events)))
		events = append(events, e)
	}
	for i := range 130 {
		add("order", fmt.Sprintf(`{"email":"p%d@example.com","amount":"12.50","n":%d}`, i%65, i))
	}
	for i := range 130 { // the long past of one
		add("news", fmt.Sprintf(`{"email":"p0@example.com","company":"Company %d"}`, i))
	}
	for i := range 60 {
		add("news", fmt.Sprintf(`{"email":"q@c%d.example.com"}`, i)) // each of an account
	}
	for i := range 70 {
		add("order", fmt.Sprintf(`{"email":"p1@example.com","amount":"none","n":%d}`, i)) // fails
	}
	r, err := l.store.Append("c00", lifecycle.At(l.now), events)
	if err != nil {
		t.Fatal(err)
	}
	l.process()
	if a := l.post("/people/erasures", "person", "2", "reason", "asked for"); a.Status != 303 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.tell("c01", "order", `{"email":"late@example.com","amount":"1"}`) // waits
	for i := 30; i < 34; i++ {
		leased, err := l.store.Lease(t.Context(), fmt.Sprintf("c%02d", i), 60, 1<<60, false)
		if err != nil {
			t.Fatal(err)
		}
		var back []store.WriteBack
		for j, p := range leased {
			p.State = []string{store.SyncFailed, store.SyncSkipped, store.SyncSynced}[j%3]
			p.Reason, p.Message, p.Due = "invalid", fmt.Sprint("no such field ", j%20), 0
			back = append(back, store.WriteBack{Sync: p.Sync})
		}
		if err := l.store.WriteBackAll(t.Context(), back, nil); err != nil {
			t.Fatal(err)
		}
	}
	return r.ID
}

// TestReportBesideThePage holds the page of a report over many people against
// one that is computed while it is shown.
func TestReportBesideThePage(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	checkPage(t, l, "/reports/funnel", "Formula:")
	err := l.store.Derived(t.Context(), func(tx *store.Tx) error {
		prof, _ := l.registry.Config().Plan.Derive(30_000, nil, lifecycle.At(l.now))
		state, err := prof.AppendBinary(nil)
		if err != nil {
			return err
		}
		return tx.SavePeopleTx(t.Context(), []*store.Person{{ID: 30_000, State: state, Stage: prof.Stage}})
	})
	if err != nil {
		t.Fatal(err)
	}
	first := l.get("/reports/funnel")
	if first.Status != 200 || !strings.Contains(first.Body, "data-computing") || first.Header.Get("Refresh") == "" {
		t.Fatalf("%d %v %s", first.Status, first.Header, first.Body)
	}
	shown := func(has string) {
		t.Helper()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for end := time.After(time.Minute); ; {
			if a := l.get("/reports/funnel"); strings.Contains(a.Body, has) && !strings.Contains(a.Body, "data-computing") {
				return
			}
			select {
			case <-end:
				t.Fatalf("%q was never shown", has)
			case <-tick.C:
			}
		}
	}
	shown("Formula:")
	l.now = l.now.Add(time.Hour)
	if a := l.get("/reports/funnel"); !strings.Contains(a.Body, "Formula:") || !strings.Contains(a.Body, "newer ones are being computed") {
		t.Errorf("what was computed before is not shown with its age: %s", a.Body)
	}
	if a := l.get("/reports/churn?basis=stage"); a.Status != 400 || !strings.Contains(a.Body, "want the stages") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}
