package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// TestMergeThenSplitGivesWhatWasBefore: two or three people whom events or a
// decision join, one after the other, and who are parted again, are who they would
// be had nobody ever joined them: keys, stages, facts, visits, segments, claims,
// timelines and the counters of everybody, whatever came before, meanwhile and
// afterwards, and in whatever order. STAGEBRIDGE_TEST_ROUNDS asks for more rounds.
func TestMergeThenSplitGivesWhatWasBefore(t *testing.T) {
	t.Parallel()
	rounds := 2
	if raced {
		rounds = 1
	}
	if n, err := strconv.Atoi(os.Getenv("STAGEBRIDGE_TEST_ROUNDS")); err == nil {
		rounds = n
	}
	eachFresh(t, func(t *testing.T, fresh func(testing.TB) *store.Store) {
		for round := range rounds {
			t.Run(fmt.Sprint(round), func(t *testing.T) {
				seed := uint64(time.Now().UnixNano())
				if s, err := strconv.ParseUint(os.Getenv("STAGEBRIDGE_TEST_SEED"), 10, 64); err == nil {
					seed = s
				}
				t.Logf("STAGEBRIDGE_TEST_SEED=%d", seed)
				checkSplit(t, rand.New(rand.NewPCG(seed, 5)), fresh)
			})
		}
	})
}

func checkSplit(t *testing.T, r *rand.Rand, fresh func(testing.TB) *store.Store) {
	story := newSplitStory(r)
	l, admin := newSplitLab(t, fresh(t))
	run := &splitRun{splitStory: story, lab: l, admin: admin}
	// What comes before, while they are one, and afterwards.
	var parts [3][]told
	quiet := r.IntN(4) == 0 // all of it before
	for _, e := range slices.Concat(story.events...) {
		at := r.IntN(3)
		if quiet {
			at = 0
		}
		parts[at] = append(parts[at], e)
	}
	parts[0] = append(parts[0], story.first...)
	run.tellShuffled(parts[0])
	for _, pins := range story.pins {
		if len(pins) > 0 {
			run.decide(pins)
		}
	}
	before := l.standings()
	run.joinAll()
	run.tellShuffled(parts[1])
	l.settlePushes()
	run.splitAll()
	var late []told
	for range r.IntN(3) {
		if !story.byHand && !quiet {
			late = append(late, run.crossing(0, 1))
		}
	}
	run.tellShuffled(append(parts[2], late...))
	if err := l.processor.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := l.standings()
	want := story.apart(t, fresh(t), run.left)
	if diff := cmp.Diff(want, after); diff != "" {
		t.Fatalf("joined and parted they are others than had they been left alone (by hand %v; -alone %v +parted %v):\n%s", story.byHand, names(want), names(after), diff)
	}
	if quiet && story.byHand {
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("parted they are others than before (-before +parted):\n%s", diff)
		}
	}
}

// splitRun plays a story.
type splitRun struct {
	*splitStory
	*lab
	admin *jobs.Admin
	// left is what the news that named two people is worth when they are parted.
	left []told
}

func (x *splitRun) tellShuffled(all []told) {
	for range x.r.IntN(4) { // duplicates
		if len(all) > 0 {
			all = append(all, all[x.r.IntN(len(all))])
		}
	}
	x.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 0 {
		n := 1 + x.r.IntN(min(12, len(all)))
		x.tell("crm", all[:n]...)
		x.process()
		all = all[n:]
	}
}

func (x *splitRun) decide(events []lifecycle.Event) {
	x.t.Helper()
	if err := x.admin.DecideAs(x.t.Context(), events); err != nil {
		x.t.Fatal(err)
	}
}

// crossing is news that names two people.
func (x *splitRun) crossing(i, j int) told {
	both, left := x.tells(i, j)
	x.left = append(x.left, left)
	return both
}

// joinAll makes one person of all, two at a time.
func (x *splitRun) joinAll() {
	x.t.Helper()
	order := x.r.Perm(x.size)
	for n, i := range order[1:] {
		j := order[x.r.IntN(n+1)] // somebody who is joined already, or the first
		if !x.byHand {
			x.tell("crm", x.crossing(i, j))
			x.process()
			continue
		}
		p, _ := x.person(fmt.Sprintf("email:p%d@example.com", i))
		if _, err := x.admin.Join(x.t.Context(), p.ID, lifecycle.Key{Namespace: "email", Value: fmt.Sprintf("p%d@example.com", j)}, "", "kim"); err != nil {
			x.t.Fatal(err)
		}
	}
	var one lifecycle.ProfileID
	for i := range x.size {
		p, _ := x.person(fmt.Sprintf("email:p%d@example.com", i))
		if one != 0 && p.ID != one {
			x.t.Fatalf("they are not joined: %v", p.Keys)
		}
		one = p.ID
	}
}

// splitAll parts everybody from everybody.
func (x *splitRun) splitAll() {
	x.t.Helper()
	for left := x.size; left > 1; left-- {
		i := left - 1
		p, _ := x.person(fmt.Sprintf("email:p%d@example.com", i))
		var apart []lifecycle.Key
		for _, k := range parse(p.Keys) {
			if x.of[k.String()] == i {
				apart = append(apart, k)
			}
		}
		if x.r.IntN(2) == 0 { // the others' side is parted from this one
			all := parse(p.Keys)
			apart = slices.DeleteFunc(all, func(k lifecycle.Key) bool { return slices.Contains(apart, k) })
		}
		if _, err := x.admin.Split(x.t.Context(), p.ID, apart, "", "kim"); err != nil {
			x.t.Fatal(err)
		}
	}
}
