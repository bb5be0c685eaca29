package jobs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestSizes: a day has the sizes of its last look, and days go after a while.
func TestSizes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := &Admin{Registry: &Registry{o: RegistryOptions{Store: s}}}
		add := func(n int64) {
			t.Helper()
			if err := s.Durable(ctx, func(t *store.Tx) error { t.CountTx("", "segment:vip", n); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)
		for _, step := range []struct {
			add  int64
			days int
		}{{3, 0}, {2, 0}, {0, 0}, {-1, 2}} {
			add(step.add)
			if err := keepSizes(ctx, s, at.AddDate(0, 0, step.days)); err != nil {
				t.Fatal(err)
			}
		}
		day := at.Truncate(24 * time.Hour)
		want := []Sizes{{day, map[string]int64{"vip": 5}}, {day.AddDate(0, 0, 2), map[string]int64{"vip": 4}}}
		got, err := a.Sizes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := keepSizes(ctx, s, at.AddDate(0, 0, sizesKept+1)); err != nil {
			t.Fatal(err)
		}
		if got, err = a.Sizes(ctx); err != nil || len(got) != 2 || !got[0].Day.Equal(day.AddDate(0, 0, 2)) {
			t.Errorf("after %d days: %v, %v", sizesKept, got, err)
		}
	})
}
