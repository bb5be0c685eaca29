package web_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

func TestReady(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) {
		o.Services = []web.Service{
			{Name: "redis", Ping: func(context.Context) error { return errors.New("away") }},
			{Name: "fine", Ping: func(context.Context) error { return nil }},
		}
	})
	a := l.send("GET", "/readyz", "")
	if a.Status != 200 || strings.TrimSpace(a.Body) != `{"status":"ready","version":"1.2.3","degraded":true,"away":["redis"]}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	if a := newLab(t, nil).send("GET", "/metrics", ""); a.Status != 404 {
		t.Errorf("without a token configured: %d", a.Status)
	}
	var watch *jobs.Watch
	registry := prometheus.NewRegistry()
	l := newLab(t, func(o *web.Options) {
		watch = jobs.NewWatch(jobs.WatchOptions{Store: o.Store, Registry: o.Registry})
		if _, err := observe.New(registry, "1.2.3"); err != nil {
			t.Fatal(err)
		}
		if err := observe.Register(registry, watch.Collector()); err != nil {
			t.Fatal(err)
		}
		o.MetricsToken, o.Metrics = secret.New("m"), registry
	})
	l.connect("crm", &connectors.PushConfig{Enabled: true})
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.tell("crm", "order", `{"email":"bob@example.com","amount":"1"}`)
	l.tell("crm", "order", `{"email":"bob@example.com","amount":"1"}`)
	l.process()
	l.tell("crm", "order", `{"email":"cyd@example.com","amount":"1"}`)
	l.store.NoteRejection("crm", store.Rejection{At: 1, Reason: "stale"})
	if err := l.store.FlushRejections(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := watch.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := l.send("GET", "/metrics", "", "Authorization: Bearer x"); a.Status != 401 {
		t.Errorf("a wrong token: %d", a.Status)
	}
	a := l.send("GET", "/metrics", "", "Authorization: Bearer m")
	for _, line := range []string{
		`stagebridge_build_info{version="1.2.3"} 1`, `stagebridge_database_up 1`, `stagebridge_inbox_events{connection="crm",status="done"} 2`,
		`stagebridge_ingest_duplicates_total{connection="crm"} 1`, `stagebridge_ingest_rejected_total{connection="crm",reason="stale"} 1`,
		`stagebridge_inbox_pending{connection="crm"} 1`, `stagebridge_push_waiting_people{connection="crm"} 2`, `stagebridge_stage_people{stage="Customer"} 2`,
	} {
		if !strings.Contains(a.Body, line+"\n") {
			t.Errorf("%s is not in %s", line, a.Body)
		}
	}
	o := &web.Operations{Store: l.store, Metrics: registry, Reasons: func() []string { return []string{"it is stuck"} }}
	for path, want := range map[string]string{
		"/metrics": "go_goroutines", "/healthz": `{"status":"ok","degraded":false,"away":[]}`,
		"/readyz": `{"status":"ready","degraded":true,"away":[],"reasons":["it is stuck"]}`,
	} {
		w := httptest.NewRecorder()
		o.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("on an address of its own, %s: %d %.300s", path, w.Code, w.Body)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for given, kept := range map[string]bool{
		"abc-123_x.y": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "a\"b": false, "": false, "ä": false,
	} {
		got := l.send("GET", "/login", "", "X-Request-Id: "+given).Header.Get("X-Request-Id")
		if (got == given) != kept || len(got) < 1 {
			t.Errorf("%q became %q", given, got)
		}
	}
	if !strings.Contains(l.log.String(), `"request_id":"abc-123_x.y"`) {
		t.Error("the id is not in the log")
	}
}

func TestAddressOfARequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		proxies []netip.Prefix
		want    string
	}{
		{"no proxy is trusted", nil, `"address":"192.0.2.1"`},
		{"this one is", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, `"address":"198.51.100.7"`},
		{"another one is", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, `"address":"192.0.2.1"`},
	} {
		l := newLab(t, func(o *web.Options) { o.TrustedProxies = c.proxies })
		l.send("GET", "/login", "", "X-Forwarded-For: 203.0.113.9, 198.51.100.7") // httptest calls from 192.0.2.1
		if !strings.Contains(l.log.String(), c.want) {
			t.Errorf("%s: %s", c.name, l.log.String())
		}
	}
}
