package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestOrder is rule 4: the same events in any order, with any duplicates and
// in any batches, give the same people, stages and segments. The people share
// devices and addresses, so that many joins are contested, and orders are told
// twice at different times. STAGEBRIDGE_TEST_ROUNDS asks for more rounds.
func TestOrder(t *testing.T) {
	t.Parallel()
	rounds := 6
	if raced {
		rounds = 2
	}
	if n, err := strconv.Atoi(os.Getenv("STAGEBRIDGE_TEST_ROUNDS")); err == nil {
		rounds = n
	}
	open := map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
	for name, fresh := range open {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for round := range rounds {
				t.Run(fmt.Sprint(round), func(t *testing.T) {
					seed := uint64(time.Now().UnixNano())
					if s, err := strconv.ParseUint(os.Getenv("STAGEBRIDGE_TEST_SEED"), 10, 64); err == nil {
						seed = s
					}
					t.Logf("STAGEBRIDGE_TEST_SEED=%d", seed)
					checkOrder(t, rand.New(rand.NewPCG(seed, 1)), fresh)
				})
			}
		})
	}
}

func checkOrder(t *testing.T, r *rand.Rand, fresh func(testing.TB) *store.Store) {
	events := randomStory(r, 40+r.IntN(80), r.IntN(2) == 0)
	want := play(t, fresh(t), [][]told{events})
	for range 2 {
		var batches [][]told
		shuffled := append([]told(nil), events...)
		for range r.IntN(20) {
			shuffled = append(shuffled, events[r.IntN(len(events))])
		}
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for len(shuffled) > 0 {
			n := 1 + r.IntN(min(25, len(shuffled)))
			batches, shuffled = append(batches, shuffled[:n]), shuffled[n:]
		}
		if diff := cmp.Diff(want, play(t, fresh(t), batches)); diff != "" {
			t.Fatalf("another order gives other people (-one batch +shuffled):\n%s", diff)
		}
	}
}

// play tells the batches one after the other and gives what came of them.
func play(t *testing.T, s *store.Store, batches [][]told) string {
	t.Helper()
	l := newLab(t, s)
	l.connect("crm", connectors.PushConfig{Enabled: true})
	for _, b := range batches {
		l.tell("crm", b...)
		l.process()
	}
	if err := l.processor.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l.snapshot()
}

// randomStory makes events of people over ninety days. With tangled they share
// keys in ways that the guards refuse.
func randomStory(r *rand.Rand, n int, tangled bool) []told {
	start := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	types := []string{"signup", "news", "demo", "order", "order", "praise"}
	all := make([]told, n)
	for i := range all {
		at := start.Add(time.Duration(r.IntN(90*24)) * time.Hour)
		who := r.IntN(8)
		user, email, device := fmt.Sprintf(`"u%d"`, who), fmt.Sprintf(`"p%d@example.com"`, who), fmt.Sprintf(`"d%d"`, who)
		if tangled {
			email, device = fmt.Sprintf(`"p%d@example.com"`, r.IntN(6)), fmt.Sprintf(`"d%d"`, r.IntN(3))
			if r.IntN(6) == 0 {
				email = `"info@example.com"`
			}
		}
		for _, key := range []*string{&user, &email, &device} {
			if r.IntN(2) == 0 {
				*key = "null"
			}
		}
		if user == "null" && email == "null" {
			device = fmt.Sprintf(`"d%d"`, who)
		}
		all[i] = told{types[r.IntN(len(types))], at, fmt.Sprintf(`{"user":%s,"email":%s,"device":%s,"order":"o%d","amount":"%d.%02d","score":%d,"company":"c%d"}`,
			user, email, device, r.IntN(12), r.IntN(300), r.IntN(100), r.IntN(100), r.IntN(5))}
	}
	return all
}
