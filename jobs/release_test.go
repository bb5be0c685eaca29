package jobs_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// parked counts the raw events of a connection that are parked.
func (l *lab) parked(connection string) int {
	l.t.Helper()
	n, err := l.store.CountReplayable(l.t.Context(), store.InboxFilter{Connection: connection, Status: "quarantined"})
	if err != nil {
		l.t.Fatal(err)
	}
	return int(n)
}

// TestReleaseAfterMending: raw events that are parked for not fitting the plan
// take effect once plan or rules are mended, those that still do not fit stay
// parked, and nothing is judged again for a change that judges alike.
func TestReleaseAfterMending(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const strict = "governance: { unplanned_event: quarantine, missing_property: quarantine, wrong_type: quarantine }\n"
		l, admin := governed(t, s, strict)
		works := jobs.NewWorks(s, nil, nil)
		works.Add(jobs.ReleaseKind(s))
		works.Add(jobs.PublishKind(works, l.processor))
		admin.Works = works
		settle := func() {
			t.Helper()
			if err := works.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.process()
		}
		releases := func() int {
			t.Helper()
			all, err := s.Works(t.Context(), store.WorkFilter{Kind: "plan release"})
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		at := l.now.Add(-time.Hour)
		for _, c := range []string{"crm", "web"} {
			l.tell(c, told{"order", at, `{"user":"` + c + `-a","surprise":true}`}, told{"view", at, `{"user":"` + c + `-b"}`}, told{"order", at, `{"user":"` + c + `-c","total":"x"}`})
		}
		l.process()
		if l.parked("crm") != 3 || l.parked("web") != 3 {
			t.Fatalf("parked: %d and %d", l.parked("crm"), l.parked("web"))
		}

		// A plan that differs in its stages alone: nothing to judge again, once
		// the first look has noted under what the events were judged.
		publish := func(plan string) {
			t.Helper()
			v, err := admin.Plan(t.Context())
			if err == nil {
				_, err = admin.PublishPlan(t.Context(), v.Version, store.Versioned{Source: plan, Author: "ann"})
			}
			if err != nil {
				t.Fatal(err)
			}
			settle()
		}
		publish(strings.Replace(governedPlan(strict), "Customer", "Buyer", 1))
		before := releases()
		publish(governedPlan(strict))
		if n := releases(); n != before || l.parked("crm") != 3 {
			t.Errorf("%d works for a change that judges alike; parked %d", n-before, l.parked("crm"))
		}

		// The plan learns of the gift.
		publish(strings.Replace(governedPlan(strict), "events:\n", "events:\n  Gift:Sent: it was sent\n", 1))
		if l.parked("crm") != 2 || l.parked("web") != 2 {
			t.Errorf("parked after the plan: %d and %d", l.parked("crm"), l.parked("web"))
		}
		if p, prof := l.person("user:crm-a"); p == nil || prof.Stage != "Customer" || prof.Fact("Gift:Sent").Count != 1 {
			t.Errorf("released: %+v", prof)
		}

		// The rules of one connection send what was missing.
		rules := strings.Replace(governedRules, "{ url: body.url }", `{ url: "'/'" }`, 1)
		if _, err := admin.PublishRules(t.Context(), "web", 1, store.Versioned{Source: rules, Author: "ann"}); err != nil {
			t.Fatal(err)
		}
		settle()
		if l.parked("crm") != 2 || l.parked("web") != 1 {
			t.Errorf("parked after the rules: %d and %d", l.parked("crm"), l.parked("web"))
		}

		// By hand, for a class: they are judged, and parked again.
		f := jobs.ReleaseFilter{Connection: "crm", Class: lifecycle.ViolationType}
		n, _, err := admin.Release(t.Context(), f, "ann", true)
		if err != nil || n != 1 || l.parked("crm") != 2 {
			t.Errorf("a dry run: %d, %v", n, err)
		}
		_, one, err := admin.Release(t.Context(), f, "ann", false)
		if err != nil {
			t.Fatal(err)
		}
		settle()
		if one, err = s.WorkByID(t.Context(), one.ID); err != nil || one.State != store.WorkDone || one.Result != `{"judged":1}` || one.Done != 1 {
			t.Errorf("by hand: %+v, %v", one, err)
		}
		if l.parked("crm") != 2 {
			t.Errorf("parked in the end: %d", l.parked("crm"))
		}
		all, _, err := s.Violations(t.Context(), store.ViolationFilter{Connection: "crm", Class: lifecycle.ViolationType})
		if err != nil || len(all) != 1 || all[0].Count != 1 || all[0].Replayed == 0 {
			t.Errorf("counted: %+v, %v", all, err)
		}
	})
}

// TestSensitiveIsNotPushed: what the plan marks as sensitive is left out of
// what a vendor is told.
func TestSensitiveIsNotPushed(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	admin := &jobs.Admin{Registry: l.registry}
	l.connect("crm", connectors.PushConfig{Enabled: true, Traits: map[string]string{"Company": "company", "Score": "lead_score"}})
	l.publish(admin, "name: x\nstages: [ { name: Visit } ]\ngovernance: { traits: { lead_score: sensitive, company: personal } }\n")
	l.tell("crm", told{"signup", l.now, `{"email":"ann@example.com","company":"Acme"}`}, told{"demo", l.now, `{"email":"ann@example.com","score":70}`})
	l.process()
	pusher := &jobs.Pusher{Store: l.store, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if err := pusher.Send(t.Context(), "crm"); err != nil {
		t.Fatal(err)
	}
	if _, prof := l.person("email:ann@example.com"); prof.Trait("lead_score") != int64(70) {
		t.Fatalf("the trait is %v", prof.Trait("lead_score"))
	}
	held := l.vendor.held["ann@example.com"]
	if _, told := held.Traits["Score"]; told || held.Traits["Company"] != "Acme" {
		t.Errorf("the vendor holds %v", held.Traits)
	}
}
