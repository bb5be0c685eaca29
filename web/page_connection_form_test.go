package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/web"
)

// TestCutOffByForm sets by the form of a connection which moves are too old to
// be told, and reads it back by page and API.
func TestCutOffByForm(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	exact := time.Date(2026, 3, 4, 5, 6, 7, 891_000, time.UTC)
	l.connect("crm", &connectors.PushConfig{Enabled: true, Since: lifecycle.At(exact), MaxAge: "3d"})
	push := func() *connectors.PushConfig {
		t.Helper()
		conn, err := l.registry.Find(t.Context(), "crm")
		if err != nil {
			t.Fatal(err)
		}
		return &conn.Push
	}
	checkPage(t, l, "/connections/crm/edit", `name="since" value="2026-03-04T05:06:07.000891Z"`)
	checkPage(t, l, "/connections/crm/edit", `name="max_age" value="3d"`)
	checkPage(t, l, "/connections/crm", `<dd>3d</dd>`)
	for _, c := range []struct {
		name   string
		pairs  []string
		since  time.Time
		maxAge string
	}{
		{"as it was", []string{"since", "2026-03-04T05:06:07.000891Z", "max_age", "3d"}, exact, "3d"},
		{"a form without the fields", nil, exact, "3d"},
		{"a day and hours", []string{"since", " 2026-05-01 ", "max_age", "12h"}, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), "12h"},
		{"emptied", []string{"since", "", "max_age", ""}, time.Time{}, ""},
	} {
		if a := l.post("/connections/crm/edit", append([]string{"enabled", "on"}, c.pairs...)...); a.Status != 303 {
			t.Fatalf("%s: %d %s", c.name, a.Status, a.Body)
		}
		want := lifecycle.Instant(0)
		if !c.since.IsZero() {
			want = lifecycle.At(c.since)
		}
		if p := push(); p.Since != want || p.MaxAge != c.maxAge || !p.Enabled {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	for _, c := range []struct{ field, value string }{{"since", "yesterday"}, {"max_age", "soon"}} {
		a := l.post("/connections/crm/edit", "enabled", "on", c.field, c.value)
		if a.Status != 422 || !strings.Contains(a.Body, `value="`+c.value+`"`) || !strings.Contains(a.Body, `role="alert"`) {
			t.Errorf("%s %s: %d %s", c.field, c.value, a.Status, a.Body)
		}
	}
	if p := push(); p.Since != 0 || p.MaxAge != "" {
		t.Errorf("what was refused is in force: %+v", p)
	}
}
