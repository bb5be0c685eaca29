package connectortest

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxMiddles is at how many places of a batch the suite withdraws the
// credential.
const maxMiddles = 6

// needs are the routes that people depend on, learned from good days.
type needs struct {
	// alone has, by person and route, the requests of a push of that one.
	alone []map[string][]string
	// batch counts, by route, the requests of a push of all.
	batch map[string]int
	// writes are the routes that may change something.
	writes map[string]bool
}

// wire tells requests apart.
func wire(method, path string, body []byte) string {
	return method + " " + path + "\n" + string(body)
}

// learn pushes everybody alone, and all at once, to healthy vendors.
func (c Case) learn(t *testing.T) needs {
	t.Helper()
	n := needs{batch: map[string]int{}, writes: map[string]bool{}}
	updates := c.Destination.Updates()
	for i := range updates {
		dest, f, o := c.openDestination(t, nil)
		push(t, dest, o, updates[i:i+1])
		routes := map[string][]string{}
		for _, r := range f.Requests() {
			routes[r.Route] = append(routes[r.Route], wire(r.Method, r.Path, r.Body))
		}
		n.alone = append(n.alone, routes)
	}
	dest, f, o := c.openDestination(t, nil)
	push(t, dest, o, c.Destination.Updates())
	for _, r := range f.Requests() {
		n.batch[r.Route]++
	}
	for _, r := range c.writes(f) {
		n.writes[r.Route] = true
	}
	return n
}

// who lists the people that cannot do without a route. One that nobody takes
// alone is for several people at once, so that all of them need it.
func (n needs) who(route string) []int {
	var people []int
	for i, routes := range n.alone {
		if len(routes[route]) > 0 {
			people = append(people, i)
		}
	}
	if people != nil {
		return people
	}
	for i := range n.alone {
		people = append(people, i)
	}
	return people
}

// own lists a person's requests on a route that nobody else makes.
func (n needs) own(person int, route string) []string {
	return slices.DeleteFunc(slices.Clone(n.alone[person][route]), func(request string) bool {
		for i, routes := range n.alone {
			if i != person && slices.Contains(routes[route], request) {
				return true
			}
		}
		return false
	})
}

// arrived reports whether a result says that the vendor took the person.
func arrived(r connectors.Result) bool {
	return r.Outcome == connectors.OK || r.Outcome == connectors.Unconfirmed || r.Outcome == connectors.Submitted
}

// runRoutes breaks each route of a good day alone: what was sent before or
// after must not turn the failure into a success of those who needed it. Then it
// fails in the middle of a batch only, and a write answers with nothing.
func runRoutes(t *testing.T, c Case) {
	runKnownRoutes(t, c)
	n := c.learn(t)
	for _, route := range slices.Sorted(maps.Keys(n.batch)) {
		if why, ok := c.Destination.MayFail[route]; ok {
			if why == "" {
				t.Errorf("MayFail[%q] gives no reason", route)
			}
			continue
		}
		for _, status := range []int{500, 503} {
			t.Run(route+" down with "+strconv.Itoa(status), func(t *testing.T) {
				t.Parallel()
				dest, f, o := c.openDestination(t, nil)
				f.FailRoute(route, leaky(o, status, nil))
				results := push(t, dest, o, c.Destination.Updates())
				for _, i := range n.who(route) {
					if arrived(results[i]) {
						t.Errorf("every %s is answered with %d, and result %d = %+v", route, status, i, results[i])
					}
				}
				c.checkConsent(t, f)
			})
		}
		for good := 1; good < min(n.batch[route], maxMiddles+1); good++ {
			t.Run(route+" refused after "+strconv.Itoa(good), func(t *testing.T) {
				t.Parallel()
				runWithdrawn(t, c, n, route, good)
			})
		}
		if !n.writes[route] {
			continue
		}
		t.Run(route+" without a body", func(t *testing.T) {
			t.Parallel()
			if why := c.Destination.bodiless(route); why != "" {
				t.Skip(why)
			}
			dest, f, o := c.openDestination(t, nil)
			f.FailRoute(route, Reply(http.StatusOK, ""))
			everybodyArrived(t, push(t, dest, o, c.Destination.Updates()), n.who(route), "every "+route+" is answered with an empty body")
		})
	}
}

// runKnownRoutes breaks each route that is needed for people who are known
// from an earlier push, and of whom something differs now.
func runKnownRoutes(t *testing.T, c Case) {
	start := func(t *testing.T) (connectors.Destination, *Fake, opened, []connectors.Update) {
		t.Helper()
		dest, f, o := c.openDestination(t, nil)
		updates := c.Destination.Updates()
		for i, r := range follow(t, o, push(t, dest, o, updates), updates) {
			known := updates[i].Want
			known.Stage, known.Segments, known.Absent = "", known.Absent, known.Segments
			updates[i].Known, updates[i].VendorID = &known, cmp.Or(r.VendorID, updates[i].VendorID)
		}
		f.Forget()
		return dest, f, o, updates
	}
	dest, f, o, updates := start(t)
	if dest.Limits().Takes == connectors.TakesEvents {
		return
	}
	needed := map[string][]int{}
	for i := range updates {
		push(t, dest, o, updates[i:i+1])
		for _, r := range f.Requests() {
			if !slices.Contains(needed[r.Route], i) {
				needed[r.Route] = append(needed[r.Route], i)
			}
		}
		f.Forget()
	}
	for _, route := range slices.Sorted(maps.Keys(needed)) {
		if c.Destination.MayFail[route] != "" {
			continue
		}
		t.Run("of the known "+route, func(t *testing.T) {
			t.Parallel()
			dest, f, o, updates := start(t)
			f.FailRoute(route, leaky(o, http.StatusServiceUnavailable, nil))
			results := push(t, dest, o, updates)
			if !slices.ContainsFunc(f.Requests(), func(r Recorded) bool { return r.Route == route }) {
				return // several people go another way than one
			}
			for _, i := range needed[route] {
				if arrived(results[i]) {
					t.Errorf("every %s is answered with 503, and result %d = %+v", route, i, results[i])
				}
			}
		})
	}
}

// everybodyArrived fails the test when all of the people ended well.
func everybodyArrived(t *testing.T, results []connectors.Result, people []int, what string) {
	t.Helper()
	for _, i := range people {
		if !arrived(results[i]) {
			return
		}
	}
	t.Errorf("%s, and everybody who needs it ends well: %+v", what, results[people[0]])
}

// bodiless says why an empty answer of a route is a success.
func (d *DestinationCase) bodiless(route string) string {
	if d.BodyIgnored != "" {
		return d.BodyIgnored
	}
	return d.Bodiless[route]
}

// runWithdrawn answers the first requests of a route and then 401 for good, as
// a vendor does whose credential is withdrawn in the middle of a batch.
func runWithdrawn(t *testing.T, c Case, n needs, route string, good int) {
	dest, f, o := c.openDestination(t, nil)
	var (
		mu              sync.Mutex
		left            = good
		passed, refused = map[string]bool{}, map[string]bool{}
	)
	well, sick := f.route(route), leaky(o, http.StatusUnauthorized, nil)
	f.FailRoute(route, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the request's body: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		pass := left > 0
		if pass {
			left--
			passed[wire(r.Method, r.URL.RequestURI(), body)] = true
		} else {
			refused[wire(r.Method, r.URL.RequestURI(), body)] = true
		}
		mu.Unlock()
		if pass {
			well(w, r)
			return
		}
		sick(w, r)
	})
	results := push(t, dest, o, c.Destination.Updates())
	mu.Lock()
	defer mu.Unlock()
	if len(refused) == 0 {
		return // a request fewer than on the other day
	}
	people, ended := n.who(route), 0
	for _, i := range people {
		if !arrived(results[i]) {
			continue
		}
		ended++
		for _, request := range n.own(i, route) {
			if refused[request] && !passed[request] {
				t.Errorf("the credential is withdrawn after %d of %s, person %d's request was refused, and the result is %+v", good, route, i, results[i])
			}
		}
	}
	if ended == len(people) || n.batch[route] >= len(people) && ended > good {
		t.Errorf("the credential is withdrawn after %d of %s, and %d of %d people end well", good, route, ended, len(people))
	}
	c.checkConsent(t, f)
}
