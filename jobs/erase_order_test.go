package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestErasureBearsAnyOrder: whatever part of the events comes before an
// erasure, and the rest in whatever order and again after it, everybody is who
// they would be had the erasure been known from the start.
func TestErasureBearsAnyOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 3 {
			seed := uint64(time.Now().UnixNano())
			t.Logf("round %d, seed %d", round, seed)
			r := rand.New(rand.NewPCG(seed, 1))
			if round > 0 {
				s = storetest.SQLite(t)
			}
			l, _, admin, works := eraseLab(t, s)
			events := eraseStory(r, l.now)
			before := r.IntN(len(events))
			l.tell("crm", events[:before]...)
			l.tell("crm", told{"demo", l.now.Add(-200 * time.Hour), `{"email":"p0@example.com"}`})
			l.process()
			l.erase(admin, works, "email:p0@example.com", "")
			blocks, _, err := s.Blocks(t.Context(), 0)
			if err != nil || len(blocks) == 0 {
				t.Fatal(blocks, err)
			}
			key, err := s.Setting(t.Context(), "erasure_key", "")
			if err != nil {
				t.Fatal(err)
			}
			l.tell("crm", events...)
			l.process()
			if r.IntN(2) == 0 {
				l.replayAll()
				l.process()
			}

			other := storetest.SQLite(t)
			if _, err := other.Setting(t.Context(), "erasure_key", key); err != nil {
				t.Fatal(err)
			}
			if err := other.AddBlocks(t.Context(), blocks); err != nil {
				t.Fatal(err)
			}
			o, _, _, _ := eraseLab(t, other)
			o.tell("crm", told{"demo", l.now.Add(-200 * time.Hour), `{"email":"p0@example.com"}`})
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			for len(events) > 0 {
				n := 1 + r.IntN(len(events))
				o.tell("crm", events[:n]...)
				o.process()
				events = events[n:]
			}
			if diff := cmp.Diff(strings.Split(o.snapshot(), "\n"), strings.Split(l.snapshot(), "\n")); diff != "" {
				t.Fatalf("people (-known from the start +erased later):\n%s", diff)
			}
		}
	})
}

// eraseStory makes events of a few people whose keys meet, before and after now.
func eraseStory(r *rand.Rand, now time.Time) []told {
	var events []told
	for i := range 40 + r.IntN(40) {
		at := now.Add(time.Duration(r.IntN(200)-190) * time.Hour)
		if at.After(now) {
			at = now.Add(time.Duration(1+r.IntN(200)) * time.Second)
		}
		who := r.IntN(4)
		email := fmt.Sprintf("p%d@example.com", who)
		switch r.IntN(5) {
		case 0:
			events = append(events, told{"signup", at, fmt.Sprintf(`{"user":"user-%d","email":%q,"device":"device-%d","name":"P%d","record":"r%d"}`, who, email, r.IntN(5), who, who)})
		case 1:
			events = append(events, told{"seen", at, fmt.Sprintf(`{"device":"device-%d","n":%d}`, r.IntN(5), i)})
		case 2:
			events = append(events, told{"order", at, fmt.Sprintf(`{"email":%q,"order":"o%d","amount":"%d"}`, email, i, r.IntN(90))})
		case 3:
			events = append(events, told{"batch", at, fmt.Sprintf(`{"people":[{"email":%q},{"email":"p%d@example.com"}],"n":%d}`, email, r.IntN(4), i)})
		default:
			events = append(events, told{"demo", at, fmt.Sprintf(`{"email":%q,"n":%d}`, email, i)})
		}
	}
	return events
}

// TestErasuresAreAppliedAgain: a restored backup that is older than an erasure
// is held against the list of what was erased, and whoever came back since is
// left alone.
func TestErasuresAreAppliedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l, _, admin, works := eraseLab(t, s)
		at := l.now.Add(-time.Hour)
		l.tell("crm", told{"signup", at, `{"user":"user-1234","email":"ann@example.com","name":"Ann"}`}, told{"bad", at, `{"email":"ann@example.com","amount":"much"}`},
			told{"signup", at, `{"user":"user-5678","email":"bo@example.com"}`})
		l.process()
		list, err := admin.Erased(t.Context())
		if err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		elsewhere := storetest.SQLite(t) // where the erasure was carried out
		if key, err := s.Setting(t.Context(), "erasure_key", ""); err != nil {
			t.Fatal(err)
		} else if _, err := elsewhere.Setting(t.Context(), "erasure_key", key); err != nil {
			t.Fatal(err)
		}
		o, _, oAdmin, oWorks := eraseLab(t, elsewhere)
		o.tell("crm", told{"signup", at, `{"user":"user-1234","email":"ann@example.com"}`})
		o.process()
		o.erase(oAdmin, oWorks, "email:ann@example.com", "")
		if list, err = oAdmin.Erased(t.Context()); err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		for range 2 { // the list may be read twice
			if n, err := admin.ApplyErased(t.Context(), list); err != nil || n != len(list) {
				t.Fatal(n, err)
			}
			if err := l.registry.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.work(works)
		}
		for table, rows := range l.dump(forms("ann@example.com", "user-1234")) {
			if len(rows) > 0 {
				t.Errorf("%s still holds %s", table, rows)
			}
		}
		if p, _ := l.person("email:bo@example.com"); p == nil {
			t.Error("somebody else went, too")
		}
		l.now = l.now.Add(time.Hour)
		l.tell("crm", told{"demo", l.now, `{"email":"ann@example.com"}`})
		l.process()
		came, _ := l.person("email:ann@example.com")
		if _, err := admin.ApplyErased(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		l.work(works)
		if p, _ := l.person("email:ann@example.com"); p == nil || p.ID != came.ID {
			t.Errorf("who came back was %+v, is %+v", came, p)
		}
		if _, err := admin.ApplyErased(t.Context(), []jobs.ErasedEntry{{Hash: "x"}}); err == nil {
			t.Error("a list that is none was taken")
		}
	})
}

// TestVendorsAreAskedUntilTheyAnswer: a vendor that is away is asked again, one
// that refuses can be asked again by hand, and its words do not name the person.
func TestVendorsAreAskedUntilTheyAnswer(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	l, v, admin, works := eraseLab(t, s)
	l.now = time.Now() // as the store's clock
	l.tell("crm", told{"demo", l.now.Add(-time.Hour), `{"email":"ann@example.com"}`})
	l.process()
	v.fail = &connectors.PushError{Reason: connectors.ReasonServer, Retryable: true, Message: "down", RetryAfter: time.Hour}
	e := l.erase(admin, works, "email:ann@example.com", "")
	certificate := func() store.Certificate {
		t.Helper()
		all, err := s.Certificates(t.Context(), []int64{e.ID})
		if err != nil || len(all[e.ID]) != 1 {
			t.Fatal(all, err)
		}
		return all[e.ID][0]
	}
	if err := l.askVendors("crm"); err == nil {
		t.Error("a vendor that is away is no failure")
	}
	if c := certificate(); c.State != store.CertificateWaiting || c.Attempts != 1 || c.Due == 0 || strings.Contains(string(c.Who), "ann@") {
		t.Errorf("%+v", c)
	}
	v.fail = &connectors.PushError{Reason: connectors.ReasonForbidden, Message: "no right to delete ann@example.com"}
	l.dueAgain(e.ID)
	if err := l.askVendors("crm"); err != nil {
		t.Error(err)
	}
	if c := certificate(); c.State != store.CertificateFailed || strings.Contains(c.Message, "ann@") || c.Who == nil {
		t.Errorf("%+v", c)
	}
	v.fail, v.reply = nil, connectors.Erased{Outcome: connectors.Submitted, Proof: "request 7"}
	if again, err := admin.RetryErasure(t.Context(), e.ID); err != nil || len(again) != 1 {
		t.Fatal(again, err)
	}
	if err := l.askVendors("crm"); err != nil {
		t.Error(err)
	}
	if c := certificate(); c.State != store.CertificateAccepted || c.Proof != "request 7" || c.Who != nil {
		t.Errorf("%+v", c)
	}
	if _, err := admin.RetryErasure(t.Context(), 99); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	var removed jobs.Removed
	if err := json.Unmarshal([]byte(l.erasure(e.ID).Result), &removed); err != nil || removed.Events != 1 || removed.RawEvents != 1 {
		t.Errorf("%+v, %v", removed, err)
	}
}

// dueAgain makes the certificates of an erasure due now.
func (l *lab) dueAgain(erasure int64) {
	l.t.Helper()
	all, err := l.store.Certificates(l.t.Context(), []int64{erasure})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range all[erasure] {
		c.Due = lifecycle.Instant(1)
		if err := l.store.WriteCertificate(l.t.Context(), &c); err != nil {
			l.t.Fatal(err)
		}
	}
}
