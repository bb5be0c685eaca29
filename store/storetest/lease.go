package storetest

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

func leaseEnds(b *bench) {
	b.connect("crm")
	p := b.people(1)[0]
	b.want("crm", p)
	x := b.lease("crm", 1, future)[0]
	if x.Profile == nil || x.Profile.ID != p || x.Version != 1 {
		b.Errorf("leased %+v", x)
	}
	b.lease("crm", 0, future)
	b.back(x, "A")
	b.lease("crm", 0, future)
	if row, _ := b.row("crm", p); row.State != store.SyncSynced || row.Known != "A" || row.Due != 0 || row.Lease > 0 {
		b.Errorf("after the write-back: %+v", row)
	}
}

// leaseOvertaken: what changed while the vendor was called goes out next.
func leaseOvertaken(b *bench) {
	b.connect("crm")
	p := b.people(1)[0]
	b.want("crm", p)
	x := b.lease("crm", 1, future)[0]
	b.want("crm", p)
	b.lease("crm", 0, future) // the lease holds all the same
	b.back(x, "A")
	y := b.lease("crm", 1, future)[0]
	if y.Version != 2 || y.Known != "A" || y.State != store.SyncPending {
		b.Errorf("leased after a change: %+v", y.Sync)
	}
}

func leaseFenced(b *bench) {
	b.connect("crm")
	p := b.people(1)[0]
	b.want("crm", p)
	old := b.lease("crm", 1, past)[0]
	now := b.lease("crm", 1, future)[0]
	if now.Lease <= old.Lease {
		b.Fatalf("lease %d follows %d", now.Lease, old.Lease)
	}
	b.back(old, "old")
	if row, _ := b.row("crm", p); row.Known != "" || row.Lease != now.Lease {
		b.Errorf("an older lease was written back: %+v", row)
	}
	b.back(now, "new")
	b.back(old, "old")
	b.back(now, "newer") // ended already
	if row, _ := b.row("crm", p); row.Known != "new" {
		b.Errorf("after all write-backs: %+v", row)
	}
}

// leaseLost: a process died between the call and its write-back, so the vendor
// may hold anything.
func leaseLost(b *bench) {
	b.connect("crm")
	p := b.people(1)[0]
	b.want("crm", p)
	b.back(b.lease("crm", 1, future)[0], "A")
	b.want("crm", p)
	if x := b.lease("crm", 1, past)[0]; x.Known != "A" {
		b.Errorf("known %q at the first lease", x.Known)
	}
	if x := b.lease("crm", 1, future)[0]; x.Known != "" {
		b.Errorf("known %q after a lease that was never written back", x.Known)
	}
	b.must(b.FreeLeases(b.Context()))
	if b.Postgres() {
		b.lease("crm", 0, future) // another replica may hold it
		return
	}
	if x := b.lease("crm", 1, future)[0]; x.Known != "" {
		b.Errorf("known %q after leases were freed", x.Known)
	}
}

// leaseForgotten: a push that left out what was known cannot bring that back.
func leaseForgotten(b *bench) {
	b.connect("crm")
	p := b.people(1)[0]
	b.want("crm", p)
	b.back(b.lease("crm", 1, future)[0], "A")
	b.want("crm", p)
	x := b.lease("crm", 1, future)[0]
	b.write(func(ctx context.Context, t *store.Tx) error { return t.ForgetKnownTx(ctx, []lifecycle.ProfileID{p}) })
	b.back(x, "B")
	if row, _ := b.row("crm", p); row.Known != "" {
		b.Errorf("known %q although it was forgotten meanwhile", row.Known)
	}
}

// leaseMerged: the push of somebody who is merged meanwhile may arrive after
// the survivor's, who therefore goes out again.
func leaseMerged(b *bench) {
	b.connect("crm")
	p := b.people(2)
	b.want("crm", p...)
	taken := b.lease("crm", 2, future)
	b.back(taken[0], "A")
	b.write(func(ctx context.Context, t *store.Tx) error { return merge(ctx, t, p[1], p[0]) })
	b.lease("crm", 0, future)
	b.back(taken[1], "B")
	if row, there := b.row("crm", p[1]); there {
		b.Errorf("a row of somebody merged is left: %+v", row)
	}
	x := b.lease("crm", 1, future)[0]
	if x.Person != p[0] || x.Known != "" || x.Version != 2 {
		b.Errorf("leased %+v, want the survivor with nothing known", x.Sync)
	}
}

// merge makes loser part of survivor.
func merge(ctx context.Context, t *store.Tx, loser, survivor lifecycle.ProfileID) error {
	ids, into := []lifecycle.ProfileID{loser}, []lifecycle.ProfileID{survivor}
	if err := t.MergeTx(ctx, ids, into, []lifecycle.Instant{9}, make([]lifecycle.EventID, 1), []int64{0}); err != nil {
		return err
	}
	return t.SavePeopleTx(ctx, []*store.Person{{ID: loser, Merged: survivor}})
}
