package storetest

import (
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// leaseBehind: whoever becomes due while everybody is brought to a vendor is
// taken next, and while more and more become due those behind have their share.
func leaseBehind(b *bench) {
	b.connect("crm")
	p := b.people(60)
	n, err := b.Resync(b.Context(), "crm")
	b.must(err)
	if n != 60 {
		b.Errorf("%d people are due, want 60", n)
	}
	if due, err := b.PushDue(b.Context(), "crm"); err != nil || !due {
		b.Errorf("somebody is due: %v, %v", due, err)
	}
	if n, err := b.SyncWaiting(b.Context(), "crm"); err != nil || n != 60 {
		b.Errorf("%d wait, %v", n, err)
	}
	take := func(limit int) (live, behind []lifecycle.ProfileID) {
		b.Helper()
		taken, err := b.Lease(b.Context(), "crm", limit, future, false)
		b.must(err)
		for i := range taken {
			b.back(taken[i], "A")
			if at := slices.Index(p, taken[i].Person); at >= 40 {
				live = append(live, taken[i].Person)
			} else {
				behind = append(behind, taken[i].Person)
			}
		}
		return live, behind
	}
	if live, behind := take(4); len(live) != 0 || !slices.Equal(behind, p[:4]) {
		b.Errorf("with nobody before them: %v and %v", live, behind)
	}
	b.want("crm", p[59])
	if live, behind := take(8); !slices.Equal(live, p[59:]) || !slices.Equal(behind, p[4:11]) {
		b.Errorf("one became due: %v and %v are taken", live, behind)
	}
	// Nineteen become due, and six of them again and again: nobody waits for ever.
	b.want("crm", p[40:59]...)
	seen := 0
	for range 5 {
		live, behind := take(8)
		if len(live) != 7 || len(behind) != 1 {
			b.Errorf("%d and %d are taken, want 7 and 1", len(live), len(behind))
		}
		seen += len(behind)
		b.want("crm", live...)
	}
	// One at a time: one in eight is of those behind.
	for range 8 {
		_, behind := take(1)
		seen += len(behind)
	}
	if seen != 6 {
		b.Errorf("%d of those behind were taken, want 6", seen)
	}
	// Whoever is due already keeps the place, whatever is brought to everybody.
	b.want("crm", p[45])
	if _, err := b.Resync(b.Context(), "crm"); err != nil {
		b.Error(err)
	}
	if row, _ := b.row("crm", p[45]); row.Due == store.Behind {
		b.Errorf("a live move is put behind: %+v", row)
	}
}
