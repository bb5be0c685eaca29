package connectortest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// DestinationCase describes what a vendor does with pushes.
type DestinationCase struct {
	// BaseURL names the setting that holds the vendor's address; BasePath is
	// put behind the fake's.
	BaseURL, BasePath string
	// Healthy gives a fake its routes: the vendor on a good day, on which every
	// one of Updates ends Done.
	Healthy func(f *Fake)
	// Updates are three or more people with a stage, a segment held and one
	// absent, and a mapped trait; Known nil.
	Updates func() []connectors.Update
	// Reads are the routes that change nothing at the vendor.
	Reads []string
	// Refuse makes the fake refuse one person for good, as the vendor words it,
	// and take the others. nil where the vendor takes or refuses whole calls.
	Refuse func(f *Fake, u connectors.Update)
	// OptsIn says how a request would opt a person in to mail; empty when it
	// does not. nil, with NoConsent saying why, where the vendor knows no consent.
	OptsIn    func(Recorded) string
	NoConsent string
	// Marks are texts of a request that show that a part is sent, by part:
	// "stage", "segments", "traits". Only for destinations that take state.
	Marks map[string]string
	// Done is how a person ends on a good day: empty is OK, Unconfirmed where
	// the vendor's answer to what it took proves nothing.
	Done connectors.Outcome
	// Outcomes by status, where this vendor differs from the shared table.
	Outcomes map[int]connectors.Outcome
	// NoRetryAfter, when set, says why the vendor's pauses are not read.
	NoRetryAfter string
	// ErrorBodies are 200 answers that mean that nothing was done.
	ErrorBodies []string
	// BodyIgnored, when set, says why a 2xx with any body is a success.
	BodyIgnored string
	// Bodiless says, by route, why an empty 200 of that route alone is a success
	// of those who need it.
	Bodiless map[string]string
	// MayFail says, by route, why its failure keeps nobody from ending well.
	MayFail map[string]string
	// Empty gives a fake the routes of a vendor that holds nobody, and counts
	// whom it holds later on. nil, with NoEmpty saying why, where the vendor
	// keeps no people of which it could lack one, such as a stream of events.
	Empty   func(f *Fake) (held func() int)
	NoEmpty string
	// Strangers are the people pushed to an empty vendor; nil is Updates without
	// their VendorID. For vendors that take some other key for proof that a
	// person is there. EmptyWith changes the connection under which they are
	// pushed, where a push makes people only under some setting.
	Strangers func() []connectors.Update
	EmptyWith func(*connectors.Config)
	// NotThere is the outcome and reason of a person who is not there while
	// push.create is off, where they are not Skipped and ReasonNotInVendor;
	// NotThereWhy says why.
	NotThere    connectors.Result
	NotThereWhy string
	// Headers that goldens of pushes show.
	Headers []string
}

// done is the outcome of a person whom the vendor took.
func (d *DestinationCase) done() connectors.Outcome { return cmp.Or(d.Done, connectors.OK) }

// openDestination opens the connection against a healthy fake.
func (c Case) openDestination(t testing.TB, change func(*connectors.Config)) (connectors.Destination, *Fake, opened) {
	t.Helper()
	return c.openAgainst(t, c.Destination.Healthy, change)
}

// openAgainst opens the connection against a fake with the given routes.
func (c Case) openAgainst(t testing.TB, routes func(*Fake), change func(*connectors.Config)) (connectors.Destination, *Fake, opened) {
	t.Helper()
	f := NewFake(t)
	routes(f)
	o := c.open(t, func(cfg *connectors.Config) {
		cfg.Settings[c.Destination.BaseURL] = f.URL + c.Destination.BasePath
		cfg.Push.Enabled = true
		if change != nil {
			change(cfg)
		}
	})
	return o.connector.(connectors.Destination), f, o
}

func runDestination(t *testing.T, c Case) {
	d := c.Destination
	t.Run("limits", func(t *testing.T) {
		dest, _, _ := c.openDestination(t, nil)
		l := dest.Limits()
		if l.Batch < 1 || l.Concurrency < 1 || l.Rate < 0 || (l.Rate > 0) != (l.Per > 0) ||
			l.Takes != connectors.TakesState && l.Takes != connectors.TakesEvents || dest.Limits() != l {
			t.Errorf("limits = %+v", l)
		}
		if n := len(d.Updates()); n < 3 {
			t.Errorf("the case has %d updates, want at least 3", n)
		}
	})
	good := t.Run("good day", func(t *testing.T) {
		dest, f, o := c.openDestination(t, nil)
		for i, r := range push(t, dest, o, d.Updates()) {
			if r.Outcome != d.done() {
				t.Errorf("result %d = %+v, want %s", i, r, d.done())
			}
		}
		if len(c.writes(f)) == 0 {
			t.Error("nothing was written")
		}
		c.checkConsent(t, f)
	})
	if !good {
		for _, rest := range []string{"nobody", "at once", "status", "routes", "faults", "create", "partial", "unchanged", "check"} {
			t.Run(rest, func(t *testing.T) { t.Skip("not run: on a good day the push fails already") })
		}
		return
	}
	t.Run("nobody", func(t *testing.T) {
		dest, f, _ := c.openDestination(t, nil)
		results, err := dest.Push(t.Context(), nil)
		if err != nil || len(results) != 0 || len(c.writes(f)) != 0 {
			t.Errorf("pushing nobody gives %v, %v and %d writes", results, err, len(c.writes(f)))
		}
	})
	t.Run("at once", func(t *testing.T) { c.runConcurrent(t) })
	t.Run("status", func(t *testing.T) { runStatusTable(t, c) })
	t.Run("routes", func(t *testing.T) { runRoutes(t, c) })
	t.Run("faults", func(t *testing.T) { runFaults(t, c) })
	t.Run("create", func(t *testing.T) { runCreate(t, c) })
	t.Run("partial", func(t *testing.T) { runPartial(t, c) })
	t.Run("unchanged", func(t *testing.T) { runUnchanged(t, c) })
	t.Run("check", func(t *testing.T) { runCheck(t, c) })
}

// push sends and holds the answer against the contract: one result per update,
// outcomes of the closed list, nothing secret in any text. An error becomes
// the result of every update, as the caller of a Destination makes it.
func push(t testing.TB, dest connectors.Destination, o opened, updates []connectors.Update) []connectors.Result {
	t.Helper()
	return pushUnder(t, t.Context(), dest, o, updates)
}

func pushUnder(t testing.TB, ctx context.Context, dest connectors.Destination, o opened, updates []connectors.Update) []connectors.Result {
	t.Helper()
	results, err := dest.Push(ctx, updates)
	if err != nil {
		var e *connectors.PushError
		if !errors.As(err, &e) {
			t.Fatalf("error is %T (%v), want a *PushError", err, err)
		}
		if !strings.HasPrefix(err.Error(), o.connector.Descriptor().ID) {
			t.Errorf("error %q does not begin with the vendor", err)
		}
		checkClean(t, o.config, "the error", fmt.Sprintf("%v %+v %v", err, *e, e.Err))
		results = slices.Repeat([]connectors.Result{e.Result()}, len(updates))
	}
	if len(results) != len(updates) {
		t.Fatalf("%d results for %d updates", len(results), len(updates))
	}
	for i, r := range results {
		checkResult(t, o, i, r, updates[i])
	}
	checkClean(t, o.config, "the log", o.log.String())
	return results
}

func checkResult(t testing.TB, o opened, i int, r connectors.Result, u connectors.Update) {
	t.Helper()
	switch r.Outcome {
	case connectors.OK, connectors.Submitted, connectors.Unconfirmed:
	case connectors.Retry, connectors.Permanent, connectors.Skipped:
		if r.Reason == connectors.ReasonNone {
			t.Errorf("result %d is %s without a reason", i, r.Outcome)
		}
	default:
		t.Errorf("result %d has the outcome %q", i, r.Outcome)
	}
	if n := len([]rune(r.Message)); n > 500 {
		t.Errorf("result %d has a message of %d runes", i, n)
	}
	if r.Sent < 0 || r.Sent > len(u.Moves) {
		t.Errorf("result %d says %d of %d moves were sent", i, r.Sent, len(u.Moves))
	}
	checkClean(t, o.config, fmt.Sprintf("result %d", i), fmt.Sprintf("%+v", r))
}

// writes gives the requests that may have changed something.
func (c Case) writes(f *Fake) []Recorded {
	return slices.DeleteFunc(f.Requests(), func(r Recorded) bool {
		return r.Method == http.MethodGet || r.Method == http.MethodHead || slices.Contains(c.Destination.Reads, r.Route)
	})
}

// checkConsent holds every request so far against the rule that a push never
// opts a person in.
func (c Case) checkConsent(t testing.TB, f *Fake) {
	t.Helper()
	d := c.Destination
	if d.OptsIn == nil {
		if d.NoConsent == "" {
			t.Error("the case says neither how to tell an opt-in nor why there is none")
		}
		return
	}
	for _, r := range f.Requests() {
		if how := d.OptsIn(r); how != "" {
			t.Errorf("%s %s opts a person in: %s", r.Method, r.Path, how)
		}
	}
}

// runConcurrent pushes from several callers at once, for the race detector and
// for state shared by mistake.
func (c Case) runConcurrent(t *testing.T) {
	dest, f, o := c.openDestination(t, nil)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			results, err := dest.Push(t.Context(), c.Destination.Updates())
			if err != nil {
				t.Errorf("push: %v", err)
			}
			for i, r := range results {
				if r.Outcome != c.Destination.done() {
					t.Errorf("result %d = %+v, want %s", i, r, c.Destination.done())
				}
			}
		})
	}
	all.Wait()
	c.checkConsent(t, f)
	checkClean(t, o.config, "the log", o.log.String())
}

func runCheck(t *testing.T, c Case) {
	_, f, o := c.openDestination(t, nil)
	checker, ok := o.connector.(connectors.Checker)
	if !ok {
		t.Skip("no check")
	}
	text, err := checker.Check(t.Context())
	if err != nil || text == "" {
		t.Errorf("check = %q, %v", text, err)
	}
	checkClean(t, o.config, "the check", text)
	f.Fail(leaky(o, http.StatusUnauthorized, nil))
	_, err = checker.Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth || e.Retryable {
		t.Errorf("check against 401 = %v, want a *PushError of reason auth", err)
	}
	checkClean(t, o.config, "the check's error", errorText(err))
}
