package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

func appendTwice(b *bench) {
	first, err := b.Append("crm", 1, []store.NewEvent{raw("1", "one"), raw("2", "two")})
	b.must(err)
	if first.New != 2 || first.Duplicates != 0 || first.ID == 0 {
		b.Fatalf("the first: %+v", first)
	}
	for i, events := range [][]store.NewEvent{
		{raw("1", "one"), raw("2", "two")},
		{raw("1", "other bytes under the same key")},
		{raw("1", "one"), raw("3", "three"), raw("3", "three")},
	} {
		again, err := b.Append("crm", 2, events)
		b.must(err)
		if again.ID != first.ID || again.New+again.Duplicates != len(events) {
			b.Errorf("case %d: %+v, want the receipt %d", i, again, first.ID)
		}
	}
	if other, err := b.Append("news", 3, []store.NewEvent{raw("1", "one")}); err != nil || other.New != 1 {
		b.Errorf("the same key at another connection: %+v, %v", other, err)
	}
	batch := b.take(4) // 1, 2, 3, and the other connection's 1
	if string(batch.Rows[0].Body) != "one" {
		b.Errorf("the first delivery's bytes became %q", batch.Rows[0].Body)
	}
	batch.Release()
	stats, err := b.InboxStats(b.Context())
	b.must(err)
	if got := stats["crm"]; got.Duplicates != 5 || got.Pending != 3 {
		b.Errorf("crm: %+v, want 5 duplicates and 3 pending", got)
	}
}

// appendHostile: what PostgreSQL refuses in a text must not fail a commit that
// others share.
func appendHostile(b *bench) {
	for i, kind := range []string{"nul\x00in it", "\xff\xfe not UTF-8", strings.Repeat("é", 5_000), ""} {
		_, err := b.Append("crm", 1, []store.NewEvent{{Dedupe: [32]byte{byte(i)}, Type: kind, Body: []byte("\x00\xff" + kind)}})
		b.must(err)
	}
	batch := b.take(4)
	for _, r := range batch.Rows {
		if len(r.Type) > 200 || !strings.HasPrefix(string(r.Body), "\x00\xff") {
			b.Errorf("kept as type %q and body %.20q", r.Type, r.Body)
		}
	}
	batch.Release()
}

func takeOnce(b *bench) {
	ids := b.tell("crm", "1", "2", "3")
	batch := b.take(3)
	b.take(0)
	batch.Release()
	batch.Release() // twice does nothing
	batch = b.take(3)
	b.finish(batch, store.Outcome{Status: store.Done})
	b.take(0)
	again, err := b.TakeAgain(b.Context(), batch.Rows)
	if err != nil || again != nil {
		b.Errorf("finished rows are taken again: %+v, %v", again, err)
	}
	raw, err := b.RawEvent(b.Context(), ids[0])
	b.must(err)
	if raw.Status != "done" {
		b.Errorf("status %q", raw.Status)
	}
}

func commitFails(b *bench) {
	b.tell("crm", "1", "2")
	wrong := errors.New("wrong")
	batch := b.take(2)
	if err := batch.Commit(b.Context(), func(t *store.Tx) error {
		t.CountTx("crm", "done", 7)
		if err := t.FinishTx(b.Context(), batch.Rows, make([]store.Outcome, 2)); err != nil {
			return err
		}
		return wrong
	}); !errors.Is(err, wrong) {
		b.Errorf("the error became %v", err)
	}
	half, err := b.TakeAgain(b.Context(), batch.Rows[:1])
	b.must(err)
	if half == nil || len(half.Rows) != 1 {
		b.Fatalf("taken again: %+v", half)
	}
	half.Release()
	counters, err := b.Counters(b.Context())
	b.must(err)
	if n := counters["crm"]["done"]; n != 0 {
		b.Errorf("%d counted by a transaction that failed", n)
	}
}

func postpone(b *bench) {
	b.tell("crm", "1", "2")
	batch := b.take(2)
	b.must(batch.Commit(b.Context(), func(t *store.Tx) error {
		return t.PostponeTx(b.Context(), batch.Rows, "crm", []lifecycle.Instant{future, past}, "vendor_away", true)
	}))
	b.take(0)
	waiting, err := b.Take(b.Context(), "crm", 10)
	b.must(err)
	if waiting == nil || len(waiting.Rows) != 1 || waiting.Rows[0].Attempts != 1 {
		b.Fatalf("in the lane: %+v, want the one that is due, tried once", waiting)
	}
	waiting.Release()
	if lanes, err := b.Lanes(b.Context()); err != nil || !slices.Equal(lanes, []string{"crm"}) {
		b.Errorf("lanes %v, %v", lanes, err)
	}
}

// replay takes back what a row gave, in one transaction with what it gives now.
func replay(b *bench) {
	people := b.people(2)
	id := b.tell("crm", "1")[0]
	event := func(n byte, inbox int64) store.Stored {
		return store.Stored{Person: people[n], Event: lifecycle.Event{ID: lifecycle.EventID{n}, Name: "A:B", At: 5, Inbox: inbox, Connection: "crm"}}
	}
	batch := b.take(1)
	b.must(batch.Commit(b.Context(), func(t *store.Tx) error {
		if err := t.AddEventsTx(b.Context(), []store.Stored{event(0, id), event(1, id+1)}); err != nil {
			return err
		}
		b.events(t, people, 1, 1)
		return t.FinishTx(b.Context(), batch.Rows, []store.Outcome{{Status: store.Done}})
	}))
	for want := range 2 { // the second time it is pending already
		if n, err := b.Replay(b.Context(), []int64{id}); err != nil || n != 1-want {
			b.Errorf("replayed %d, %v; want %d", n, err, 1-want)
		}
	}
	batch = b.take(1)
	if !batch.Rows[0].Replayed {
		b.Error("the row does not say that it was processed before")
	}
	b.must(batch.Commit(b.Context(), func(t *store.Tx) error {
		touched, err := t.RetractTx(b.Context(), []int64{id})
		if err != nil || !slices.Equal(touched, people[:1]) {
			b.Errorf("retracted from %v, %v; want %v", touched, err, people[:1])
		}
		b.events(t, people, 0, 1)
		return t.FinishTx(b.Context(), batch.Rows, []store.Outcome{{Status: store.Ignored}})
	}))
	b.write(func(ctx context.Context, t *store.Tx) error {
		b.events(t, people, 0, 1)
		return nil
	})
	counters, err := b.Counters(b.Context())
	b.must(err)
	if c := counters["crm"]; c["done"] != 0 || c["ignored"] != 1 {
		b.Errorf("counters %v", c)
	}
}

// events holds how many events each of the people has, as a transaction sees it,
// against what is wanted.
func (b *bench) events(t *store.Tx, people []lifecycle.ProfileID, want ...int) {
	b.Helper()
	all, err := t.EventsTx(b.Context(), people)
	b.must(err)
	for i, p := range people {
		if len(all[p]) != want[i] {
			b.Errorf("%d has %d events, want %d: %v", p, len(all[p]), want[i], all[p])
		}
	}
}

// retention empties bytes of what is done, and keeps its hash: a delivery that
// comes again is still a duplicate.
func retention(b *bench) {
	ids := b.tell("crm", "1", "2", "3")
	done := b.take(3)
	rows := done.Rows
	b.must(done.Commit(b.Context(), func(t *store.Tx) error {
		return t.FinishTx(b.Context(), rows, []store.Outcome{{Status: store.Done}, {Status: store.Failed, Step: "map"}, {Status: store.Done}})
	}))
	for range 10 {
		n, err := b.Retain(b.Context(), 2_000)
		b.must(err)
		if n == 0 {
			break
		}
	}
	for i, emptied := range []bool{true, false, true} {
		e, err := b.RawEvent(b.Context(), ids[i])
		b.must(err)
		if (e.Body == nil) != emptied {
			b.Errorf("event %d with status %s: body %q", i, e.Status, e.Body)
		}
	}
	if again := b.tell("crm", "1")[0]; again != ids[0] {
		b.Errorf("an emptied delivery came again and got receipt %d, want %d", again, ids[0])
	}
}
