package storetest

import (
	"slices"

	"github.com/stagebridge/stagebridge/store"
)

// notices keeps what notifications are judged by and what was told.
func notices(b *bench) {
	b.tell("crm", "one", "two")
	b.must(b.FlushArrivals(b.Context()))
	b.tell("crm", "two", "three")
	b.must(b.FlushArrivals(b.Context()))
	b.must(b.FlushArrivals(b.Context()))
	var came int64
	all, _, err := b.Arrivals(b.Context())
	b.must(err)
	for _, n := range all["crm"] { // an hour may have ended in between
		came += n
	}
	if came != 3 {
		b.Errorf("arrivals: %v", all)
	}

	delivered := func(d store.Delivery, want store.Delivery) {
		b.Helper()
		d.Connection, want.Connection = "crm", "crm"
		b.must(b.NoteDeliveries(b.Context(), []store.Delivery{d}))
		if all, err := b.Deliveries(b.Context()); err != nil || !slices.Equal(all, []store.Delivery{want}) {
			b.Errorf("deliveries: %+v, %v; want %+v", all, err, want)
		}
	}
	delivered(store.Delivery{OK: 5}, store.Delivery{OK: 5})
	delivered(store.Delivery{Failed: 8, FailingSince: 7, Reason: "server"}, store.Delivery{OK: 5, Failed: 8, FailingSince: 7, Reason: "server"})
	delivered(store.Delivery{Failed: 9, FailingSince: 9, Reason: "timeout"}, store.Delivery{OK: 5, Failed: 9, FailingSince: 7, Reason: "timeout"})
	delivered(store.Delivery{OK: 10, Failed: 6, Reason: "old"}, store.Delivery{OK: 10, Failed: 9, Reason: "timeout"})

	read := func(seen, missed, run, version int64) []store.Read {
		b.Helper()
		b.must(b.NoteReads(b.Context(), []store.Read{{Connection: "crm", Rule: "r", Path: "body.x", Version: version, Seen: seen, Missed: missed, Run: run}}))
		drifting, err := b.Drifting(b.Context(), 50, 20)
		b.must(err)
		return drifting
	}
	read(60, 1, 0, 1)
	if d := read(0, 19, 19, 1); d != nil {
		b.Errorf("after 19 misses: %+v", d)
	}
	if d := read(0, 1, 1, 1); len(d) != 1 || d[0].Run != 20 || d[0].Seen != 60 || d[0].Missed != 21 {
		b.Errorf("after 20 misses: %+v", d)
	}
	if d := read(1, 0, 0, 1); d != nil {
		b.Errorf("after it came back: %+v", d)
	}
	read(0, 30, 30, 1)
	if d := read(1, 0, 0, 2); d != nil {
		b.Errorf("after new rules: %+v", d)
	}

	n := store.Notice{Connection: "crm", Kind: "failing", Since: 3, Detail: "why", Told: "{}"}
	b.must(b.SaveNotice(b.Context(), n))
	n.Gone, n.Tries, n.Next = 4, 1, 5
	b.must(b.SaveNotice(b.Context(), n))
	if all, err := b.Notices(b.Context()); err != nil || !slices.Equal(all, []store.Notice{n}) {
		b.Errorf("notices: %+v, %v", all, err)
	}
	b.must(b.DropNotice(b.Context(), n))
	if all, err := b.Notices(b.Context()); err != nil || len(all) != 0 {
		b.Errorf("after the end: %+v, %v", all, err)
	}
}
