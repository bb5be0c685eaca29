package connectortest

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxPolls is how often a job of the vendor's is asked for before the suite
// takes it for one that never ends.
const maxPolls = 20

// runCreate pushes to a vendor that holds nobody: with push.create off nobody
// may come to be there, with it on somebody must.
func runCreate(t *testing.T, c Case) {
	d := c.Destination
	if d.Empty == nil {
		if d.NoEmpty == "" {
			t.Fatal("the case gives neither a vendor that holds nobody (Empty) nor the reason why there is none (NoEmpty)")
		}
		t.Skip(d.NoEmpty)
	}
	send := func(t *testing.T, create bool) (results []connectors.Result, held int, f *Fake) {
		var people func() int
		dest, f, o := c.openEmpty(t, create, func(f *Fake) { people = d.Empty(f) })
		if n := people(); n != 0 {
			t.Fatalf("the vendor that should be empty holds %d people", n)
		}
		updates := d.strangers()
		results = follow(t, o, push(t, dest, o, updates), updates)
		return results, people(), f
	}
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		results, held, _ := send(t, false)
		want := connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor}
		if d.NotThere.Outcome != "" {
			want = d.NotThere
		}
		if (d.NotThere.Outcome != "") != (d.NotThereWhy != "") {
			t.Error("NotThere and NotThereWhy go together")
		}
		for i, r := range results {
			if r.Outcome != want.Outcome || r.Reason != want.Reason {
				t.Errorf("push.create is off and the vendor holds nobody: result %d = %+v, want %s for %q", i, r, want.Outcome, want.Reason)
			}
		}
		if held != 0 {
			t.Errorf("push.create is off, and the push made %d people", held)
		}
	})
	t.Run("on", func(t *testing.T) {
		results, held, f := send(t, true)
		if held == 0 {
			t.Errorf("push.create is on, and nobody was made: %+v", results)
		}
		var routes []string
		for _, r := range c.writes(f) {
			routes = append(routes, r.Route)
		}
		slices.Sort(routes)
		for _, route := range slices.Compact(routes) {
			if d.MayFail[route] != "" {
				continue
			}
			t.Run(route+" down", func(t *testing.T) {
				t.Parallel()
				dest, f, o := c.openEmpty(t, true, func(f *Fake) { d.Empty(f) })
				f.FailRoute(route, leaky(o, http.StatusServiceUnavailable, nil))
				results := push(t, dest, o, d.strangers())
				if i := slices.IndexFunc(results, arrived); i >= 0 {
					t.Errorf("nobody is there, every %s is answered with 503, and result %d = %+v", route, i, results[i])
				}
			})
		}
	})
}

// openEmpty opens the connection against a vendor that holds nobody.
func (c Case) openEmpty(t testing.TB, create bool, routes func(*Fake)) (connectors.Destination, *Fake, opened) {
	t.Helper()
	return c.openAgainst(t, routes, func(cfg *connectors.Config) {
		cfg.Push.Create = create
		if c.Destination.EmptyWith != nil {
			c.Destination.EmptyWith(cfg)
		}
	})
}

// strangers are people of whom nothing shows that the vendor has them.
func (d *DestinationCase) strangers() []connectors.Update {
	if d.Strangers != nil {
		return d.Strangers()
	}
	updates := d.Updates()
	for i := range updates {
		updates[i].VendorID = ""
	}
	return updates
}

// follow asks for jobs until each has ended, where the destination has jobs.
func follow(t *testing.T, o opened, results []connectors.Result, updates []connectors.Update) []connectors.Result {
	t.Helper()
	poller, ok := o.connector.(connectors.JobPoller)
	if !ok {
		return results
	}
	at := map[string][]int{}
	for i, r := range results {
		if r.Outcome == connectors.Submitted {
			at[r.Job] = append(at[r.Job], i)
		}
	}
	for job, places := range at {
		var people []connectors.Update
		for _, i := range places {
			people = append(people, updates[i])
		}
		for range maxPolls {
			ended, err := poller.Poll(t.Context(), job, people)
			if err != nil {
				t.Errorf("poll: %v", err)
				break
			}
			if ended == nil {
				continue
			}
			for n, i := range places {
				results[i] = ended[n]
			}
			break
		}
	}
	return results
}
