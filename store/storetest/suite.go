package storetest

import (
	"context"
	"crypto/sha256"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Run holds a database to the behaviour that everything above relies on: a
// named list of checks, each on an empty store that open gives.
func Run(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	for name, check := range map[string]func(*bench){
		"append answers with the original's receipt": appendTwice,
		"append takes any text":                      appendHostile,
		"a batch is taken by one":                    takeOnce,
		"a batch that fails leaves no trace":         commitFails,
		"postponed rows wait":                        postpone,
		"replay replaces":                            replay,
		"retention keeps what is needed":             retention,
		"a look tells what waits":                    watch,
		"notices are told from what was counted":     notices,
		"a lease ends once":                          leaseEnds,
		"a change during a lease is due":             leaseOvertaken,
		"an older lease is ignored":                  leaseFenced,
		"a lost lease leaves nothing known":          leaseLost,
		"a backfill waits for live moves, and moves": leaseBehind,
		"what is forgotten stays forgotten":          leaseForgotten,
		"a merge during a lease reaches the other":   leaseMerged,
		"a configuration is changed once":            configStale,
		"people merge":                               mergePeople,
		"contested people are found together":        contested,
		"keys have one owner":                        claimTwice,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(&bench{T: t, Store: open(t)})
		})
	}
}

// RunConcurrent does what replicas do at once and looks for what must not
// happen: a row worked on twice, an effect lost, an answer that differs.
func RunConcurrent(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	for name, check := range map[string]func(*bench){
		"one delivery at once many times": appendStorm,
		"taking while more comes in":      takeStorm,
		"leasing by many":                 leaseStorm,
		"counting by many":                countStorm,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(&bench{T: t, Store: open(t)})
		})
	}
}

// bench is the store under test with what most checks do.
type bench struct {
	*testing.T
	*store.Store
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func raw(key, body string) store.NewEvent {
	return store.NewEvent{Dedupe: sha256.Sum256([]byte(key)), Type: "test", Body: []byte(body)}
}

// tell appends one event per key and gives the inbox ids.
func (b *bench) tell(connection string, keys ...string) []int64 {
	b.Helper()
	ids := make([]int64, len(keys))
	for i, key := range keys {
		receipt, err := b.Append(connection, 1_000, []store.NewEvent{raw(key, "{}")})
		b.must(err)
		ids[i] = receipt.ID
	}
	return ids
}

// take takes exactly n rows that wait for processing.
func (b *bench) take(n int) *store.Batch {
	b.Helper()
	batch, err := b.Take(b.Context(), "", n+1)
	b.must(err)
	if batch == nil && n == 0 {
		return nil
	}
	if batch == nil || len(batch.Rows) != n {
		b.Fatalf("taken: %+v, want %d rows", batch, n)
	}
	return batch
}

// finish ends a batch with one outcome for all.
func (b *bench) finish(batch *store.Batch, o store.Outcome) {
	b.Helper()
	b.must(batch.Commit(b.Context(), func(t *store.Tx) error {
		outcomes := make([]store.Outcome, len(batch.Rows))
		for i := range outcomes {
			outcomes[i] = o
		}
		return t.FinishTx(b.Context(), batch.Rows, outcomes)
	}))
}

// write runs fn in a transaction.
func (b *bench) write(fn func(context.Context, *store.Tx) error) {
	b.Helper()
	b.must(b.Derived(b.Context(), func(t *store.Tx) error { return fn(b.Context(), t) }))
}

// people makes n people with a profile and a key each, and gives their ids.
func (b *bench) people(n int) []lifecycle.ProfileID {
	b.Helper()
	first, err := b.PersonIDs(b.Context(), n)
	b.must(err)
	ids := make([]lifecycle.ProfileID, n)
	rows, keys := make([]*store.Person, n), make([]string, n)
	for i := range ids {
		ids[i] = first + lifecycle.ProfileID(i)
		state, err := lifecycle.NewProfile(ids[i]).AppendBinary(nil)
		b.must(err)
		keys[i] = "user:" + string(rune('a'+i))
		rows[i] = &store.Person{ID: ids[i], Keys: keys[i : i+1], State: state, Stage: "Visit"}
	}
	b.write(func(ctx context.Context, t *store.Tx) error {
		if err := t.SavePeopleTx(ctx, rows); err != nil {
			return err
		}
		return t.ClaimKeysTx(ctx, keys, ids)
	})
	return ids
}

// connect makes a connection.
func (b *bench) connect(id string) store.Connection {
	b.Helper()
	c, err := b.SaveConnection(b.Context(), store.Connection{ID: id, Connector: "lab", Settings: "{}", Push: "{}"}, nil)
	b.must(err)
	return c
}

// want makes people due at a connection.
func (b *bench) want(connection string, people ...lifecycle.ProfileID) {
	b.Helper()
	connections := make([]string, len(people))
	for i := range connections {
		connections[i] = connection
	}
	b.write(func(ctx context.Context, t *store.Tx) error { return t.WantPushTx(ctx, connections, people, past) })
}

// lease takes exactly n people, until an instant.
func (b *bench) lease(connection string, n int, until lifecycle.Instant) []store.LeasedPerson {
	b.Helper()
	taken, err := b.Lease(b.Context(), connection, n+1, until, true)
	b.must(err)
	if len(taken) != n {
		b.Fatalf("%d people leased, want %d", len(taken), n)
	}
	return taken
}

// back writes a lease back as synced with a state known.
func (b *bench) back(x store.LeasedPerson, known string) {
	b.Helper()
	w := store.WriteBack{Sync: x.Sync}
	w.State, w.Known = store.SyncSynced, known
	b.must(b.WriteBackAll(b.Context(), []store.WriteBack{w}, nil))
}

// row gives what is known of one person at a connection.
func (b *bench) row(connection string, person lifecycle.ProfileID) (store.Sync, bool) {
	b.Helper()
	all, err := b.SyncOf(b.Context(), []lifecycle.ProfileID{person})
	b.must(err)
	for _, x := range all[person] {
		if x.Connection == connection {
			return x, true
		}
	}
	return store.Sync{}, false
}

// Instants long before and after any clock of a test.
const (
	past   lifecycle.Instant = 2
	future lifecycle.Instant = 1 << 60
)
