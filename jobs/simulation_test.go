package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestSimulation lives two years with many people: their events arrive in
// batches, some of them late, twice or before their time, the clock ticks at
// irregular steps, and at random instants every stage and every membership is
// compared with what the brute force makes of the raw events known by then.
//
// STAGEBRIDGE_SIMULATION=full takes 10,000 people instead of 100; run it alone,
// with -v, which shows how far it is, and with -timeout 240m, as make simulation does. STAGEBRIDGE_TEST_SEED repeats a run.
func TestSimulation(t *testing.T) {
	full := os.Getenv("STAGEBRIDGE_SIMULATION") == "full"
	if !full {
		t.Parallel()
	}
	classic, ok := plans.Source("classic")
	if !ok {
		t.Fatal("there is no plan classic")
	}
	databases := []struct {
		name string
		open func(testing.TB, func() time.Time) *store.Store
	}{
		{"sqlite", func(t testing.TB, now func() time.Time) *store.Store {
			return simulatedStore(t, store.Options{Dir: t.TempDir(), Now: now})
		}},
		{"postgres", func(t testing.TB, now func() time.Time) *store.Store {
			return simulatedStore(t, store.Options{URL: storetest.NewDatabase(t), Now: now})
		}},
	}
	for _, db := range databases {
		for name, source := range map[string][]byte{"classic": classic, "every-function": []byte(everyFunctionPlan)} {
			t.Run(db.name+"/"+name, func(t *testing.T) {
				s := simulation{people: 100, steps: 120, checks: 20}
				if raced {
					s = simulation{people: 30, steps: 80, checks: 8}
				}
				if full {
					s = simulation{people: 10_000, steps: 1000, checks: 16, full: true}
				} else {
					t.Parallel()
				}
				seed := uint64(time.Now().UnixNano())
				if n, err := strconv.ParseUint(os.Getenv("STAGEBRIDGE_TEST_SEED"), 10, 64); err == nil {
					seed = n
				}
				t.Logf("STAGEBRIDGE_TEST_SEED=%d", seed)
				s.r = rand.New(rand.NewPCG(seed, 2))
				s.run(t, source, db.open)
			})
		}
	}
}

func simulatedStore(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// simulation is one run of the two years.
type simulation struct {
	people, steps, checks int
	full                  bool

	r     *rand.Rand
	lab   *lab
	plan  *brutePlan
	clock atomic.Int64

	tellings []*telling // in the order of arrival
	arrived  int
	seen     map[string]bool // ids of what arrived; the same again changes nothing
	waiting  []*telling      // arrived, and not known yet
	known    [][]*telling    // by person
	compared int
	differ   int
	lives    map[string]*bruteLife
	held     map[string]bool // stages and segments that somebody had when compared
}

func (s *simulation) run(t *testing.T, source []byte, open func(testing.TB, func() time.Time) *store.Store) {
	began := time.Now()
	start, end := simulatedStart.UnixMicro(), simulatedStart.AddDate(2, 0, 0).UnixMicro()
	s.clock.Store(start)
	s.lab = newLab(t, open(t, func() time.Time { return time.UnixMicro(s.clock.Load()) }))
	s.begin(t, source)
	s.plan = readBrutePlan(t, source, simulatedActivity(t))
	s.tellings = simulatePeople(s.r, s.people, s.plan.windows, end)
	s.known, s.seen = make([][]*telling, s.people), map[string]bool{}
	s.held = map[string]bool{}

	checks := s.instants(start, end)
	for i, now := range checks {
		for s.clock.Load() < now {
			s.step(t, min(now, s.clock.Load()+s.stride(end-start)))
		}
		s.process(t)
		s.tick(t)
		s.compare(t, i == len(checks)-1 || !s.full)
		if s.full {
			t.Logf("%s: %d of %d instants, %d events told, %d comparisons, %d differences, %.0f s",
				time.UnixMicro(now).UTC().Format(time.DateOnly), i+1, len(checks), s.arrived, s.compared, s.differ, time.Since(began).Seconds())
		}
		if s.differ > 0 {
			break
		}
	}
	t.Logf("%d people, %d events told, %d comparisons, %d differences, %.1f s", s.people, s.arrived, s.compared, s.differ, time.Since(began).Seconds())
	if s.differ == 0 && s.arrived < len(s.tellings) {
		t.Errorf("%d of %d events were never told", len(s.tellings)-s.arrived, len(s.tellings))
	}
	if idle := s.never(); s.full && s.differ == 0 && len(idle) > 0 {
		t.Errorf("nobody ever had %v, so nothing is shown of them", idle)
	}
}

// begin puts rules and plan in force.
func (s *simulation) begin(t *testing.T, source []byte) {
	t.Helper()
	ctx, l := t.Context(), s.lab
	l.now = time.UnixMicro(s.clock.Load())
	if _, err := l.store.PublishPlan(ctx, 0, store.Versioned{Source: string(source)}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"crm", "shop"} {
		l.connect(id, connectors.PushConfig{})
		if _, err := l.store.PublishRules(ctx, id, 0, store.Versioned{Source: simulatedRules()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.registry.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	for id, c := range l.registry.Config().Connections {
		if c.RulesErr != nil || c.Err != nil {
			t.Fatalf("connection %s: %v, %v", id, c.Err, c.RulesErr)
		}
	}
}

// simulatedActivity reads which events of the vocabulary count as activity.
func simulatedActivity(t testing.TB) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../lifecycle/plans/events.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var vocabulary struct {
		Events map[string]struct{ Activity bool }
	}
	if err := yaml.Unmarshal(text, &vocabulary); err != nil {
		t.Fatal(err)
	}
	active := map[string]bool{}
	for name, e := range vocabulary.Events {
		active[name] = e.Activity
	}
	return active
}

// instants are those at which everything is compared: some at random, some to
// the microsecond where a window ends, and the end.
func (s *simulation) instants(start, end int64) []int64 {
	list := []int64{end}
	for len(list) < s.checks {
		at := start + s.r.Int64N(end-start)
		if len(list)%3 == 0 {
			at = s.tellings[s.r.IntN(len(s.tellings))].at + s.plan.windows[s.r.IntN(len(s.plan.windows))] - s.r.Int64N(2)
		}
		if at > start && at < end {
			list = append(list, at)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// stride is how far the clock goes in a step: minutes, hours, or days.
func (s *simulation) stride(span int64) int64 {
	mean := span / int64(s.steps)
	switch s.r.IntN(6) {
	case 0:
		return 1 + s.r.Int64N(30*minute)
	case 1:
		return 1 + s.r.Int64N(mean/4)
	}
	return 1 + s.r.Int64N(3*mean)
}

// step moves the clock, takes in what arrives by then, and does some of what
// is due, as a busy system would.
func (s *simulation) step(t *testing.T, now int64) {
	t.Helper()
	s.clock.Store(now)
	s.lab.now = time.UnixMicro(now)
	var batches [2][]store.NewEvent
	for s.arrived < len(s.tellings) && s.tellings[s.arrived].arrives <= now {
		e := s.tellings[s.arrived]
		s.arrived++
		if !s.seen[e.id] {
			s.seen[e.id] = true
			s.waiting = append(s.waiting, e)
		}
		at := strings.Index("crmshop", e.connection) / 3
		batches[at] = append(batches[at], e.raw)
	}
	for i, id := range []string{"crm", "shop"} {
		for chunk := range slices.Chunk(batches[i], 400) {
			if _, err := s.lab.store.Append(id, lifecycle.Instant(now), chunk); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.r.IntN(8) > 0 {
		s.process(t)
	}
	if s.r.IntN(3) > 0 {
		s.tick(t)
	}
}

func (s *simulation) tick(t *testing.T) {
	t.Helper()
	if err := s.lab.processor.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// process brings in what is due. An event more than five minutes ahead waits
// for its time; one that is less ahead is known at once.
func (s *simulation) process(t *testing.T) {
	t.Helper()
	s.lab.process()
	now := s.clock.Load()
	s.waiting = slices.DeleteFunc(s.waiting, func(e *telling) bool {
		if e.at > now && (e.held || e.at > now+5*minute) {
			e.held = true
			return false
		}
		s.known[e.who] = append(s.known[e.who], e)
		return true
	})
}

// placement is where somebody stands, for comparing.
type placement struct {
	Stage    string
	Since    int64
	Segments map[string]int64
	Beside   map[string]bruteSpell // in further lifecycles
}

// compare holds everybody in the store against the brute force.
func (s *simulation) compare(t *testing.T, lists bool) {
	t.Helper()
	now := s.clock.Load()
	want := s.expected(now)
	have := 0
	members := map[string]int{}
	err := s.lab.store.EachPerson(t.Context(), func(p *store.Person) error {
		prof, err := lifecycle.DecodeProfile(p.State)
		if err != nil {
			return err
		}
		have++
		is := placement{string(p.Stage), int64(p.Since), map[string]int64{}, map[string]bruteSpell{}}
		for l := range prof.Lifecycles() {
			if l.Stage != "" {
				is.Beside[l.ID] = bruteSpell{string(l.Stage), int64(l.Since)}
				s.held["stage "+l.ID+"/"+string(l.Stage)] = true
			}
		}
		for _, m := range prof.Segments {
			is.Segments[string(m.Name)] = int64(m.Since)
			members[string(m.Name)]++
			s.held["segment "+string(m.Name)] = true
		}
		s.held["stage "+is.Stage] = true
		must, ok := want[p.Keys[0]]
		if !ok {
			s.differs(t, "%s: nobody should have the keys %v", instantText(now), p.Keys)
			return nil
		}
		s.compared += len(s.plan.ids) + len(s.plan.names)
		if diff := cmp.Diff(must.placement, is, cmp.AllowUnexported(bruteSpell{})); diff != "" {
			s.differs(t, "%s: %v of source %s (-brute force +store):\n%s\n%s", instantText(now), p.Keys, prof.Source, diff, must.story())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.expectedPeople(); have != n {
		s.differs(t, "%s: %d people, want %d", instantText(now), have, n)
	}
	if lists {
		s.compareLists(t, members)
	}
}

// compareLists holds the lists of members that the store keeps against the
// profiles.
func (s *simulation) compareLists(t *testing.T, members map[string]int) {
	t.Helper()
	for _, name := range s.plan.names {
		n := 0
		f := store.PeopleFilter{Segment: lifecycle.Segment(name), Limit: store.MaxPage}
		for {
			page, err := s.lab.store.People(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.People)
			if f.After = page.Next; f.After == "" {
				break
			}
		}
		if n != members[name] {
			s.differs(t, "segment %s lists %d people, and %d are in it", name, n, members[name])
		}
	}
}

// never lists the stages and segments that nobody had.
func (s *simulation) never() (names []string) {
	for _, name := range s.plan.names {
		if !s.held["segment "+name] {
			names = append(names, "segment "+name)
		}
	}
	for _, id := range s.plan.ids {
		prefix := "stage "
		if id != "" {
			prefix += id + "/"
		}
		for _, stage := range slices.Concat(s.plan.of[id].path, s.plan.of[id].sides) {
			if !s.held[prefix+stage.name] {
				names = append(names, prefix+stage.name)
			}
		}
	}
	return names
}

// differs reports the first differences and counts them all.
func (s *simulation) differs(t *testing.T, format string, args ...any) {
	t.Helper()
	s.differ++
	if s.differ <= 5 {
		t.Errorf(format, args...)
	}
}

// expectation is one person of the brute force.
type expectation struct {
	placement
	life  *bruteLife
	known []*telling
}

// story tells the way of somebody where it must be read.
func (x *expectation) story() string {
	var b strings.Builder
	for _, e := range x.known {
		fmt.Fprintf(&b, "  %s %x %s by %s %t %t key %q %v %d %s claim %q, arrived %s\n",
			instantText(e.at), e.id[:3], e.name, e.connection, e.user, e.email, e.key, e.traits, e.micros, e.currency, e.claim, instantText(e.arrives))
	}
	for _, sp := range x.life.spells {
		fmt.Fprintf(&b, "  %s -> %s\n", instantText(sp.from), sp.stage)
	}
	return b.String()
}

func instantText(at int64) string {
	return time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000")
}

// expected gives everybody by each of their keys. Whose two keys were named
// together is one person; before that, each key is one of its own.
func (s *simulation) expected(now int64) map[string]*expectation {
	if s.lives == nil {
		s.lives = map[string]*bruteLife{}
	}
	var all []*expectation
	byKey := map[string]*expectation{}
	expect := func(keys []string, known []*telling) {
		if len(known) == 0 {
			return
		}
		x := &expectation{life: s.lives[keys[0]], known: known}
		all = append(all, x)
		for _, key := range keys {
			byKey[key] = x
		}
	}
	for who, known := range s.known {
		user, email := fmt.Sprintf("user:u%d", who), fmt.Sprintf("email:p%d@example.com", who)
		users, emails, together := parts(known)
		if together {
			expect([]string{user, email}, known)
			continue
		}
		expect([]string{user}, users)
		expect([]string{email}, emails)
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		wg.Go(func() {
			for i := first; i < len(all); i += workers {
				s.plan.expect(all[i], now)
			}
		})
	}
	wg.Wait()
	for key, x := range byKey {
		s.lives[key] = x.life
	}
	return byKey
}

func parts(known []*telling) (users, emails []*telling, together bool) {
	for _, e := range known {
		together = together || e.user && e.email
		if e.user {
			users = append(users, e)
		} else {
			emails = append(emails, e)
		}
	}
	return users, emails, together
}

// expect finds out about one person. A life of which nothing new is known goes
// on from where it was looked at last; any other is gone through from its
// beginning.
func (p *brutePlan) expect(x *expectation, now int64) {
	if x.life == nil || x.life.known != len(x.known) {
		events := make([]*bruteEvent, len(x.known))
		for i, e := range x.known {
			events[i] = &e.bruteEvent
		}
		x.life = p.brute(events)
	}
	l := x.life
	l.pass(now)
	x.placement = placement{l.stage(), l.since(), l.in, l.beside()}
}

// expectedPeople counts who should be there.
func (s *simulation) expectedPeople() (n int) {
	for _, known := range s.known {
		users, emails, together := parts(known)
		switch {
		case together || len(users) > 0 != (len(emails) > 0):
			n++
		case len(users) > 0:
			n += 2
		}
	}
	return n
}
