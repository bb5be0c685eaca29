package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// queries is a store filled with known rows: 25 raw events of two connections
// and, behind the first of them, ten people.
type queries struct {
	*store.Store
	inbox []int64 // oldest first
}

func fill(t *testing.T, s *store.Store) *queries {
	t.Helper()
	q := &queries{Store: s}
	for _, id := range []string{"crm", "news"} {
		if _, err := s.SaveConnection(t.Context(), store.Connection{ID: id, Connector: "lab", Settings: "{}", Push: "{}"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 25 {
		connection := "crm"
		if i%5 == 4 {
			connection = "news"
		}
		receipt, err := s.Append(connection, lifecycle.Instant(1000+i), []store.NewEvent{{
			Dedupe: sha256.Sum256(fmt.Append(nil, i)), Type: fmt.Sprintf("type.%d", i%2), Body: fmt.Appendf(nil, `{"n":%d}`, i), Meta: `{"format":"json"}`,
		}})
		if err != nil {
			t.Fatal(err)
		}
		q.inbox = append(q.inbox, receipt.ID)
	}
	return q
}

// process takes the oldest rows and writes an outcome for each.
func (q *queries) process(t *testing.T, n int, effects func(context.Context, *store.Tx) error, outcome func(*store.Row) store.Outcome) {
	t.Helper()
	batch, err := q.Take(t.Context(), "", n)
	if err != nil || batch == nil || len(batch.Rows) != n {
		t.Fatalf("take %d: %v, %v", n, batch, err)
	}
	err = batch.Commit(t.Context(), func(tx *store.Tx) error {
		outcomes := make([]store.Outcome, n)
		for i := range batch.Rows {
			outcomes[i] = outcome(&batch.Rows[i])
		}
		if effects != nil {
			if err := effects(t.Context(), tx); err != nil {
				return err
			}
		}
		return tx.FinishTx(t.Context(), batch.Rows, outcomes)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func done(*store.Row) store.Outcome { return store.Outcome{Status: store.Done, Rule: "r"} }

// people writes ten: 1 to 9 live, 10 merged into 9; odd ones are customers.
func (q *queries) people(ctx context.Context, tx *store.Tx) error {
	var all []*store.Person
	var keys []string
	var owners []lifecycle.ProfileID
	var members []store.Membership
	for id := lifecycle.ProfileID(1); id <= 10; id++ {
		p := &store.Person{ID: id, Stage: "Visit", Since: 5, LastSeen: 9, State: []byte{1}}
		if id%2 == 1 {
			p.Stage = "Customer"
		}
		p.Keys = []string{fmt.Sprintf("email:ann%02d@example.com", id), fmt.Sprintf("crm:%d", id)}
		if id == 3 {
			p.Keys = append(p.Keys, "email:ann99@example.com")
		}
		if id == 10 {
			p.Merged, p.Keys = 9, nil
		} else {
			members = append(members, store.Membership{Segment: "vip", Person: id, Since: 7})
		}
		for _, k := range p.Keys {
			keys, owners = append(keys, k), append(owners, id)
		}
		all = append(all, p)
	}
	if err := tx.SavePeopleTx(ctx, all); err != nil {
		return err
	}
	if err := tx.ClaimKeysTx(ctx, keys, owners); err != nil {
		return err
	}
	return tx.ChangeMembershipsTx(ctx, members, nil)
}

// pages walks a list to its end and gives how many rows each page had.
func pages[T any](t *testing.T, next func(after string) ([]T, string, error)) (all []T, sizes []int) {
	t.Helper()
	for after := ""; ; {
		rows, more, err := next(after)
		if err != nil {
			t.Fatal(err)
		}
		all, sizes = append(all, rows...), append(sizes, len(rows))
		if more == "" || len(sizes) > 100 {
			return all, sizes
		}
		after = more
	}
}

func TestPeopleQueries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := fill(t, s)
		q.process(t, 1, q.people, done)
		var many []string // more kinds of keys than a page looks further
		for i := range 40 {
			many = append(many, fmt.Sprintf("a%02d:x", i))
		}
		for _, c := range []struct {
			name   string
			filter store.PeopleFilter
			want   []lifecycle.ProfileID
		}{
			{"everybody, newest first", store.PeopleFilter{}, []lifecycle.ProfileID{9, 8, 7, 6, 5, 4, 3, 2, 1}},
			{"a stage", store.PeopleFilter{Stage: "Customer"}, []lifecycle.ProfileID{9, 7, 5, 3, 1}},
			{"a segment", store.PeopleFilter{Segment: "vip"}, []lifecycle.ProfileID{9, 8, 7, 6, 5, 4, 3, 2, 1}},
			{"a beginning of keys, each person once", store.PeopleFilter{Prefixes: []string{"email:ann"}}, []lifecycle.ProfileID{1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{"two beginnings, one inside the other", store.PeopleFilter{Prefixes: []string{"email:ann0", "email:ann", "crm:4"}}, []lifecycle.ProfileID{4, 1, 2, 3, 5, 6, 7, 8, 9}},
			{"many beginnings", store.PeopleFilter{Prefixes: append(many, "email:ann05")}, []lifecycle.ProfileID{5}},
			{"wildcards mean nothing", store.PeopleFilter{Prefixes: []string{"email:%"}}, nil},
			{"no such stage", store.PeopleFilter{Stage: "x\x00y"}, nil},
		} {
			for _, limit := range []int{2, 4, 100} {
				f := c.filter
				f.Limit = limit
				got, _ := pages(t, func(after string) ([]lifecycle.ProfileID, string, error) {
					f.After = after
					page, err := s.People(t.Context(), f)
					var ids []lifecycle.ProfileID
					for _, p := range page.People {
						ids = append(ids, p.ID)
					}
					if len(ids) > limit {
						t.Errorf("%s: %d rows in a page of %d", c.name, len(ids), limit)
					}
					return ids, page.Next, err
				})
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s by %d: %s", c.name, limit, diff)
				}
			}
		}
		if _, err := s.People(t.Context(), store.PeopleFilter{After: "x"}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("wrong cursor: %v", err)
		}
		if p, err := s.Person(t.Context(), 10); err != nil || p.ID != 9 {
			t.Errorf("merged: %+v, %v", p, err)
		}
		if _, err := s.Person(t.Context(), 11); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
		if p, err := s.PersonByKey(t.Context(), "crm:7"); err != nil || p.ID != 7 {
			t.Errorf("by key: %+v, %v", p, err)
		}
		for _, key := range []string{"crm:77", "a\x00b", "\xff"} {
			if _, err := s.PersonByKey(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("by key %q: %v", key, err)
			}
		}
	})
}

func TestInboxQueries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := fill(t, s)
		q.process(t, 20, nil, func(r *store.Row) store.Outcome {
			switch {
			case r.Connection == "news":
				return store.Outcome{Status: store.Failed, Step: "map", Reason: "expression", Detail: "line 3"}
			case r.ID%2 == 0:
				return store.Outcome{Status: store.Ignored, Reason: "unmatched"}
			}
			return store.Outcome{Status: store.Done}
		})
		want := func(keep func(i int) bool) (ids []int64) {
			for i := 24; i >= 0; i-- {
				if keep(i) {
					ids = append(ids, q.inbox[i])
				}
			}
			return ids
		}
		news := func(i int) bool { return i%5 == 4 }
		for _, c := range []struct {
			name   string
			filter store.InboxFilter
			want   []int64
		}{
			{"all", store.InboxFilter{}, want(func(int) bool { return true })},
			{"pending", store.InboxFilter{Status: "pending"}, want(func(i int) bool { return i >= 20 })},
			{"pending of one", store.InboxFilter{Status: "pending", Connection: "news"}, want(func(i int) bool { return i >= 20 && news(i) })},
			{"failed", store.InboxFilter{Status: "failed"}, want(func(i int) bool { return i < 20 && news(i) })},
			{"failed of the other", store.InboxFilter{Status: "failed", Connection: "crm"}, nil},
			{"failed at a step", store.InboxFilter{Status: "failed", Step: "map", Reason: "expression"}, want(func(i int) bool { return i < 20 && news(i) })},
			{"failed at another step", store.InboxFilter{Status: "failed", Step: "decode"}, nil},
			{"ignored", store.InboxFilter{Status: "ignored"}, want(func(i int) bool { return i < 20 && !news(i) && q.inbox[i]%2 == 0 })},
			{"done of one", store.InboxFilter{Status: "done", Connection: "crm"}, want(func(i int) bool { return i < 20 && !news(i) && q.inbox[i]%2 == 1 })},
			{"one connection", store.InboxFilter{Connection: "news"}, want(news)},
			{"a type", store.InboxFilter{Type: "type.1"}, want(func(i int) bool { return i%2 == 1 })},
			{"a time", store.InboxFilter{Since: 1003, Until: 1005}, want(func(i int) bool { return i >= 3 && i <= 5 })},
			{"no such status", store.InboxFilter{Status: "lost"}, nil},
		} {
			for _, limit := range []int{1, 7, 100} {
				f := c.filter
				f.Limit = limit
				got, _ := pages(t, func(after string) ([]int64, string, error) {
					f.After = after
					page, err := s.Inbox(t.Context(), f)
					var ids []int64
					for _, r := range page.Rows {
						ids = append(ids, r.ID)
					}
					return ids, page.Next, err
				})
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s by %d: %s", c.name, limit, diff)
				}
			}
		}
		stats, err := s.InboxStats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if x := stats["news"]; x.Failed != 4 || x.Pending != 1 || x.Done != 0 {
			t.Errorf("news: %+v", x)
		}
		if x := stats["crm"]; x.Pending != 4 || x.Done+x.Ignored != 16 {
			t.Errorf("crm: %+v", x)
		}
		newest, err := s.Newest(t.Context(), 100)
		if err != nil || len(newest) != 2 || newest["crm"].ID != q.inbox[23] || newest["news"].ID != q.inbox[24] {
			t.Errorf("newest: %+v, %v", newest, err)
		}
		if newest, err = s.Newest(t.Context(), 1); err != nil || len(newest) != 1 {
			t.Errorf("newest of one: %+v, %v", newest, err)
		}
		rows, err := s.RecentRows(t.Context(), "news", 2)
		if err != nil || len(rows) != 2 || rows[0].ID != q.inbox[24] || string(rows[1].Body) != `{"n":19}` || len(rows[0].Dedupe) != 16 {
			t.Errorf("recent: %+v, %v", rows, err)
		}
		raw, err := s.RawEvent(t.Context(), q.inbox[24])
		if err != nil || raw.Status != "pending" || raw.Meta != `{"format":"json"}` || string(raw.Body) != `{"n":24}` || raw.Size != 8 {
			t.Errorf("raw: %+v, %v", raw, err)
		}
		if _, err := s.RawEvent(t.Context(), 1<<40); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestTimelineAndTrace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := fill(t, s)
		var moves []store.Transition
		var events []store.Stored
		for i := range 6 {
			at := lifecycle.Instant(100 * (i + 1))
			events = append(events, store.Stored{Person: 1, Event: lifecycle.Event{
				ID: lifecycle.EventID{byte(i + 1)}, Name: "Order:Completed", At: at, Connection: "crm", Inbox: q.inbox[i],
				Identity: []lifecycle.Key{{Namespace: "email", Value: "ann01@example.com"}},
			}})
			moves = append(moves, store.Transition{Person: 1, Seq: int64(i + 1), History: i != 2, From: "A", To: "B", Kind: "forward", At: at,
				Cause: store.Cause{Inbox: q.inbox[i], Condition: "seen"}})
		}
		q.process(t, 1, func(ctx context.Context, tx *store.Tx) error {
			if err := q.people(ctx, tx); err != nil {
				return err
			}
			if err := tx.AddEventsTx(ctx, events); err != nil {
				return err
			}
			if err := tx.AddTransitionsTx(ctx, moves); err != nil {
				return err
			}
			return tx.WantPushTx(ctx, []string{"crm", "news"}, []lifecycle.ProfileID{1, 1}, 1)
		}, done)
		var back []store.WriteBack
		for _, connection := range []string{"crm", "news"} {
			leased, err := s.Lease(t.Context(), connection, 10, 1<<60, false)
			if err != nil || len(leased) != 1 {
				t.Fatal(leased, err)
			}
			leased[0].State, leased[0].Pushed = store.SyncSynced, 350
			back = append(back, store.WriteBack{Sync: leased[0].Sync})
		}
		if err := s.WriteBackAll(t.Context(), back, nil); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, at := range []int{600, 500, 400} {
			want = append(want, fmt.Sprint("move ", at), fmt.Sprint("event ", at))
		}
		want = append(want, "push crm", "push news", "event 300", "move 200", "event 200", "move 100", "event 100")
		for _, limit := range []int{1, 2, 3, 5, 100} {
			got, _ := pages(t, func(after string) ([]string, string, error) {
				items, next, err := s.Timeline(t.Context(), 1, after, limit)
				var texts []string
				for _, it := range items {
					switch {
					case it.Event != nil:
						texts = append(texts, fmt.Sprint("event ", it.At))
					case it.Move != nil:
						texts = append(texts, fmt.Sprint("move ", it.At))
					default:
						texts = append(texts, "push "+it.Push.Connection)
					}
				}
				return texts, next, err
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("by %d: %s", limit, diff)
			}
		}
		if _, _, err := s.Timeline(t.Context(), 1, "!", 1); !errors.Is(err, store.ErrCursor) {
			t.Errorf("wrong cursor: %v", err)
		}
		trace, err := s.Trace(t.Context(), q.inbox[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(trace.Events) != 1 || len(trace.People) != 1 || len(trace.Moves) != 1 || trace.Moves[0].Seq != 1 || len(trace.Deliveries) != 2 || trace.Raw.Status != "done" {
			t.Errorf("trace: %+v", trace)
		}
	})
}

func TestSyncQueries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := fill(t, s)
		q.process(t, 1, q.people, done)
		for _, connection := range []string{"crm", "news"} {
			if n, err := s.Resync(t.Context(), connection); err != nil || n != 9 {
				t.Fatalf("resync: %d, %v", n, err)
			}
		}
		leased, err := s.Lease(t.Context(), "news", 100, 1<<60, false)
		if err != nil || len(leased) != 9 {
			t.Fatalf("lease: %d, %v", len(leased), err)
		}
		var back []store.WriteBack
		for _, p := range leased {
			p.State, p.Known, p.Pushed = store.SyncSynced, `{"stage":"x"}`, 9
			if p.Person > 4 {
				p.State, p.Reason, p.Message = store.SyncFailed, "invalid", "no such stage"
			}
			back = append(back, store.WriteBack{Sync: p.Sync})
		}
		if err := s.WriteBackAll(t.Context(), back, nil); err != nil {
			t.Fatal(err)
		}
		both := []string{"crm", "news"}
		for _, c := range []struct {
			name   string
			filter store.SyncFilter
			want   int
		}{
			{"all", store.SyncFilter{Connections: both}, 18},
			{"one connection", store.SyncFilter{Connections: []string{"news"}}, 9},
			{"pending", store.SyncFilter{Connections: both, State: store.SyncPending}, 9},
			{"failed", store.SyncFilter{Connections: both, State: store.SyncFailed}, 5},
			{"failed for a reason", store.SyncFilter{Connections: both, State: store.SyncFailed, Reason: "invalid"}, 5},
			{"failed for another", store.SyncFilter{Connections: both, State: store.SyncFailed, Reason: "auth"}, 0},
			{"synced", store.SyncFilter{Connections: both, State: store.SyncSynced}, 4},
			{"one person", store.SyncFilter{Connections: both, Person: 6}, 2},
			{"nowhere", store.SyncFilter{}, 0},
		} {
			for _, limit := range []int{1, 4, 9, 100} {
				f := c.filter
				f.Limit = limit
				got, _ := pages(t, func(after string) ([]string, string, error) {
					f.After = after
					page, err := s.SyncList(t.Context(), f)
					var texts []string
					for _, x := range page.Rows {
						texts = append(texts, fmt.Sprint(x.Connection, x.Person))
					}
					return texts, page.Next, err
				})
				slices.Sort(got)
				if len(got) != c.want || len(slices.Compact(got)) != c.want {
					t.Errorf("%s by %d: %v, want %d", c.name, limit, got, c.want)
				}
			}
		}
		failed := store.SyncFilter{Connections: both, State: store.SyncFailed}
		for _, c := range []struct {
			dry  bool
			want int64
		}{{true, 5}, {false, 5}, {false, 0}} {
			if n, err := s.RetrySync(t.Context(), failed, c.dry); err != nil || n != c.want {
				t.Errorf("retry, dry %v: %d, %v, want %d", c.dry, n, err, c.want)
			}
		}
		if n, err := s.Resync(t.Context(), "news"); err != nil || n != 9 {
			t.Errorf("resync again: %d, %v", n, err)
		}
		counts, err := s.SyncCounts(t.Context())
		if err != nil || counts["news"]["pending"] != 9 || counts["crm"]["pending"] != 9 {
			t.Errorf("counts: %v, %v", counts, err)
		}
		again, err := s.Lease(t.Context(), "news", 100, 1<<60, false)
		if err != nil || len(again) != 9 || again[0].Known != "" {
			t.Errorf("after a resync nothing is known: %+v, %v", again, err)
		}
	})
}
