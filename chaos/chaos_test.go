//go:build !race

// Package chaos_test shows that nothing acknowledged is lost and nothing is
// counted twice: it starts the real program, sends it signed events from many
// clients while it kills the process, wipes Redis and restarts PostgreSQL, and
// afterwards compares inbox, people and vendors with an undisturbed run.
//
// A campaign does the same with several replicas and every other fault that can
// be made here, one after the other, for as long as one likes.
//
// The ordinary tests run a short form. STAGEBRIDGE_CHAOS=full and
// STAGEBRIDGE_CHAOS_FOR=30m (make chaos) run the whole one,
// STAGEBRIDGE_TEST_SEED repeats the random choices of a run. The race detector
// has nothing to find here: the program is another process.
package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// drill is the size of one run.
type drill struct {
	events, people int
	kills, flushes int
	clients        int
	// patience bounds each phase: sending, and coming to rest.
	patience time.Duration
}

func size() drill {
	if os.Getenv("STAGEBRIDGE_CHAOS") == "full" {
		return drill{events: 20_000, people: 4_000, kills: 10, flushes: 3, clients: 64, patience: 5 * time.Minute}
	}
	return drill{events: 2_000, people: 400, kills: 3, flushes: 1, clients: 16, patience: 2 * time.Minute}
}

func seed(t *testing.T) uint64 {
	t.Helper()
	n := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("STAGEBRIDGE_TEST_SEED"), 10, 64); err == nil {
		n = s
	}
	t.Logf("STAGEBRIDGE_TEST_SEED=%d", n)
	return n
}

// TestNothingLost is one run on each database. The two do not run side by
// side, so that each has the machine for itself.
func TestNothingLost(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	n := seed(t)
	binary := build(t)
	t.Run("sqlite", func(t *testing.T) { run(t, size(), n, binary, embedded(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, size(), n, binary, external(t)) })
}

func run(t *testing.T, d drill, seed uint64, binary string, s *services) {
	r := rand.New(rand.NewPCG(seed, 7))
	now := time.Now().Truncate(time.Millisecond)
	story := tell(r, now, d.events, d.people)
	v := newVendors(t)
	p := newProgram(t, binary, s, v)
	p.start()
	v.listen(p.url)

	began := time.Now()
	c := newClients(t, p.url, story, d.clients)
	done := c.send(rand.New(rand.NewPCG(seed, 11)), d.patience)
	disturb(t, rand.New(rand.NewPCG(seed, 13)), d, p, s, c, done)
	<-done
	sent := time.Since(began)
	c.acknowledged()

	db := open(t, s, p)
	within(t, d.patience, "nothing is pending or due any more", func() (bool, string) { return db.atRest(v) })
	t.Logf("%d events, %d kills, %d answers that were not 2xx (%v), sent after %v, at rest after %v",
		d.events, p.kills, c.refusedCount(), c.refusals(), sent.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	p.stop()
	db.checkInbox(t, c)
	people := everybody(t, s, p)
	undisturbed(t, story, people)
	v.check(t, people)
	db.checkCounters(t, people, d.events)
	p.checkLog()
}

// disturb kills, wipes and restarts at random moments: most while events come
// in, the rest while what they left behind is worked off.
func disturb(t *testing.T, r *rand.Rand, d drill, p *program, s *services, c *clients, sent <-chan struct{}) {
	t.Helper()
	type act struct {
		at int
		do func()
	}
	kill := func() {
		p.kill()
		p.launch()
		if r.IntN(3) == 0 && p.kills < d.kills { // while it starts
			pause(time.Duration(r.IntN(400)) * time.Millisecond)
			p.kill()
			p.launch()
		}
		p.ready()
	}
	var acts []act
	for range d.kills*7/10 + 1 {
		acts = append(acts, act{r.IntN(d.events), kill})
	}
	for range d.flushes {
		acts = append(acts, act{r.IntN(d.events), s.flush})
	}
	acts = append(acts, act{r.IntN(d.events), s.restart})
	slices.SortStableFunc(acts, func(a, b act) int { return a.at - b.at })
	for _, a := range acts {
		within(t, d.patience, fmt.Sprintf("%d events are acknowledged", a.at), func() (bool, string) {
			select {
			case <-sent:
				return true, ""
			default:
				return c.acked() >= a.at, fmt.Sprintf("%d are", c.acked())
			}
		})
		a.do()
	}
	<-sent
	for p.kills < d.kills {
		pause(time.Duration(100+r.IntN(1500)) * time.Millisecond)
		kill()
	}
}

// pause lets the program run for a while before it is disturbed again.
func pause(d time.Duration) { <-time.After(d) }

// within waits until a condition holds; it says what was last seen when it
// does not.
func within(t *testing.T, patience time.Duration, what string, holds func() (bool, string)) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := holds()
		if ok {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s; %s", patience, what, seen)
		case <-tick.C:
		}
	}
}
