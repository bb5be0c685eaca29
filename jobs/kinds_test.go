package jobs_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const kindsPlan = `
name: kinds
stages:
  - { name: Lead }
  - { name: Trial, when: 'seen("Trial:Started")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Fan, when: 'count("Order:Completed") >= 3' }
claims: { crm: { mode: hold, for: 2d } }
`

const kindsRules = `
rules:
  - { name: seen, type: seen, emit: { event: "Page:Viewed", identity: { email: body.email, user: body.user } } }
  - { name: trial, type: trial, emit: { event: "Trial:Started", identity: { email: body.email, user: body.user } } }
  - { name: order, type: order, emit: { event: "Order:Completed", identity: { email: body.email, user: body.user } } }
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", identity: { email: body.email, user: body.user }, stage: body.stage } }
`

// timedLab is a lab whose store has the lab's clock too.
func timedLab(t *testing.T, plan string, open func(testing.TB, func() time.Time) *store.Store) (*lab, func(time.Time)) {
	t.Helper()
	var clock atomic.Int64
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock.Store(start.UnixMicro())
	l := newLab(t, open(t, func() time.Time { return time.UnixMicro(clock.Load()) }))
	l.now = start
	if _, err := l.store.PublishPlan(t.Context(), 0, store.Versioned{Source: plan}); err != nil {
		t.Fatal(err)
	}
	return l, func(now time.Time) {
		clock.Store(now.UnixMicro())
		l.now = now
	}
}

func eachClock(t *testing.T, fn func(t *testing.T, open func(testing.TB, func() time.Time) *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, func(t testing.TB, now func() time.Time) *store.Store {
			return simulatedStore(t, store.Options{Dir: t.TempDir(), Now: now})
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, func(t testing.TB, now func() time.Time) *store.Store {
			return simulatedStore(t, store.Options{URL: storetest.NewDatabase(t), Now: now})
		})
	})
}

// rules puts rules in force at a connection.
func (l *lab) rules(connection, source string) {
	l.t.Helper()
	if _, err := l.store.PublishRules(l.t.Context(), connection, 0, store.Versioned{Source: source}); err != nil {
		l.t.Fatal(err)
	}
	if err := l.registry.Refresh(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// announced gives by person the moves that others are told, the oldest first.
func (l *lab) announced() map[lifecycle.ProfileID][]string {
	l.t.Helper()
	people, err := l.store.Lease(l.t.Context(), "crm", 10, lifecycle.At(l.now.Add(time.Hour)), true)
	if err != nil {
		l.t.Fatal(err)
	}
	all := map[lifecycle.ProfileID][]string{}
	for i := range people {
		for _, m := range people[i].Moves {
			day := func(i lifecycle.Instant) string { return i.Time().Format("2.15h") }
			all[people[i].Person] = append(all[people[i].Person],
				fmt.Sprintf("%s > %s %s at %s found %s skipped %v", m.From, m.To, m.Kind, day(m.At), day(m.Decided), m.Cause.Skipped))
		}
	}
	return all
}

// TestEveryKindOfMove goes through all that can move a person: each move is of
// the right kind, says when it was true and when it was found, and what it
// jumped over.
func TestEveryKindOfMove(t *testing.T) {
	t.Parallel()
	eachClock(t, func(t *testing.T, open func(testing.TB, func() time.Time) *store.Store) {
		l, at := timedLab(t, kindsPlan, open)
		l.vendor.takes = connectors.TakesEvents
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.rules("crm", kindsRules)
		admin := &jobs.Admin{Registry: l.registry}
		start := l.now
		day := func(n float64) time.Time { return start.Add(time.Duration(n * 24 * float64(time.Hour))) }
		hear := func(now time.Time, kind, who string, when time.Time) {
			at(now)
			l.tell("crm", told{kind, when, `{` + who + `,"stage":"Lead"}`})
			l.process()
		}
		ann := `"email":"ann@example.com"`
		hear(day(0), "seen", ann, day(0))
		hear(day(1), "order", ann, day(1))
		hear(day(2), "claim", ann, day(2))
		at(day(5))
		if err := l.processor.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, _ := l.person("email:ann@example.com")
		if err := admin.Pin(t.Context(), p.ID, jobs.PinInput{Stage: "Trial", Reason: "asked for"}); err != nil {
			t.Fatal(err)
		}
		at(day(6))
		if err := admin.Unpin(t.Context(), p.ID, "", "", "test"); err != nil {
			t.Fatal(err)
		}
		hear(day(7), "order", ann, day(3))
		hear(day(8), "order", ann, day(4))
		at(day(9))
		l.publish(admin, kindsPlan+"# stricter\nsegments: { few: 'count(\"Order:Completed\") < 9' }\n")
		at(day(10))
		l.publish(admin, kindsPlan)
		moves := l.announced()
		if diff := cmp.Diff([]string{
			" > Lead forward at 1.12h found 1.12h skipped []",
			"Lead > Customer skip at 2.12h found 2.12h skipped [Trial]",
			"Customer > Lead back at 3.12h found 3.12h skipped []",
			"Lead > Customer re-entry at 5.12h found 6.12h skipped []",
			"Customer > Trial manual at 6.12h found 6.12h skipped []",
			"Trial > Customer manual at 7.12h found 7.12h skipped []",
			"Customer > Fan correction at 7.12h found 9.12h skipped []",
			"Fan > Fan publish at 1.12h found 10.12h skipped []",
			"Fan > Fan rollback at 11.12h found 11.12h skipped []",
		}, moves[p.ID]); diff != "" {
			t.Errorf("moves (-want +told):\n%s", diff)
		}
		// The claim at noon of the third day lasted until the fifth.
		_, prof := l.person("email:ann@example.com")
		for v := range prof.Visits() {
			if v.Stage == "Lead" && (v.Count != 2 || prof.Spent(v, lifecycle.At(l.now)) != 72*time.Hour || v.First != lifecycle.At(day(0)) || v.Last != lifecycle.At(day(2)) || v.Left != lifecycle.At(day(4))) {
				t.Errorf("times as a Lead: %+v", v)
			}
		}

		hear(day(11), "seen", `"email":"bo@example.com"`, day(11))
		hear(day(12), "order", `"user":"bo"`, day(12))
		hear(day(13), "seen", `"email":"bo@example.com","user":"bo"`, day(13))
		bo, _ := l.person("user:bo")
		if diff := cmp.Diff([]string{
			" > Lead forward at 12.12h found 12.12h skipped []",
			"Lead > Customer merge at 13.12h found 14.12h skipped []",
		}, l.announced()[bo.ID]); diff != "" {
			t.Errorf("moves of who was joined (-want +told):\n%s", diff)
		}
	})
}

// TestTheFutureWaits: what is told of a time to come is held until then, and
// does nothing before, also to others in the same batch.
func TestTheFutureWaits(t *testing.T) {
	t.Parallel()
	eachClock(t, func(t *testing.T, open func(testing.TB, func() time.Time) *store.Store) {
		l, at := timedLab(t, kindsPlan, open)
		l.connect("crm", connectors.PushConfig{})
		l.rules("crm", kindsRules)
		start := l.now
		l.tell("crm",
			told{"order", start.Add(3 * time.Hour), `{"email":"ann@example.com"}`},
			told{"order", start.Add(4 * time.Minute), `{"email":"bo@example.com"}`}, // clocks differ
			told{"seen", start, `{"email":"ann@example.com"}`})
		l.process()
		stage := func(key string) lifecycle.Stage {
			_, prof := l.person(key)
			return prof.Stage
		}
		if stage("email:ann@example.com") != "Lead" || stage("email:bo@example.com") != "Customer" {
			t.Fatalf("at once: %q, %q", stage("email:ann@example.com"), stage("email:bo@example.com"))
		}
		if stats, err := l.store.InboxStats(t.Context()); err != nil || stats["crm"].Pending != 1 {
			t.Errorf("waiting: %+v, %v", stats["crm"], err)
		}
		at(start.Add(3*time.Hour - time.Microsecond))
		l.process()
		if stage("email:ann@example.com") != "Lead" {
			t.Error("it has come true before its time")
		}
		at(start.Add(3 * time.Hour))
		l.process()
		_, prof := l.person("email:ann@example.com")
		if prof.Stage != "Customer" || prof.Since != lifecycle.At(start.Add(3*time.Hour)) {
			t.Errorf("at its time: %q since %s", prof.Stage, prof.Since.Time())
		}
	})
}

// TestHistoryIsNotTold: history that is brought in moves people and brings
// vendors' states up to date, while those that take each move hear of none from
// before the cut-off.
func TestHistoryIsNotTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		push connectors.PushConfig
		want []string
	}{
		"since the connection was made": {connectors.PushConfig{}, []string{"Customer", "Fan"}},
		"since a time":                  {connectors.PushConfig{Since: lifecycle.At(time.Date(2026, 3, 12, 0, 0, 0, 0, time.UTC))}, []string{"Fan"}},
		"since before it was made":      {connectors.PushConfig{Since: 1}, []string{"Lead", "Trial", "Customer", "Fan"}},
		"of the last three days":        {connectors.PushConfig{Since: 1, MaxAge: "3d"}, []string{"Fan"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachClock(t, func(t *testing.T, open func(testing.TB, func() time.Time) *store.Store) {
				l, at := timedLab(t, kindsPlan, open)
				l.vendor.takes = connectors.TakesEvents
				var heard []string
				l.vendor.fail = func(updates []connectors.Update) ([]connectors.Result, error) {
					results := make([]connectors.Result, len(updates))
					for i, u := range updates {
						for _, m := range u.Moves {
							heard = append(heard, m.To)
						}
						l.vendor.held[u.Email] = u.Want
						results[i] = connectors.Result{Outcome: connectors.OK, Sent: len(u.Moves)}
					}
					return results, nil
				}
				c.push.Enabled = true
				l.connect("crm", c.push)
				l.rules("crm", kindsRules)
				day := func(n int) time.Time { return time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC) }
				at(day(20))
				for n, kind := range map[int]string{-40: "seen", -30: "trial", 5: "order", 15: "order", 19: "order"} {
					l.tell("crm", told{kind, day(n), `{"email":"ann@example.com"}`})
				}
				l.process()
				pusher := &jobs.Pusher{Store: l.store, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: func() time.Time { return l.now }, Log: l.processor.Log}
				for range 2 {
					if err := pusher.Send(t.Context(), "crm"); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(c.want, heard); diff != "" {
					t.Errorf("moves (-want +heard):\n%s", diff)
				}
				if l.vendor.held[claimedAnn].Stage != "Fan" {
					t.Errorf("the state is %+v", l.vendor.held[claimedAnn])
				}
			})
		})
	}
}
