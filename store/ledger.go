package store

import (
	"context"
	"crypto/sha256"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// LedgerEntry is one field that a push wrote at a vendor, to be told from a
// real change when the vendor reports it.
type LedgerEntry struct {
	Connection, Record, Field, Value string
}

// ledgerMicros is how long a write of ours may take to come back.
const ledgerMicros = 24 * 3600 * 1e6

func (e LedgerEntry) hash() []byte {
	h := sha256.New()
	for _, part := range []string{e.Record, e.Field, e.Value} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return h.Sum(nil)[:16]
}

func (t *Tx) addLedger(ctx context.Context, all []LedgerEntry, now int64) error {
	type place struct {
		connection string
		hash       [16]byte
	}
	counts := map[place]int64{}
	for _, e := range all {
		counts[place{e.Connection, [16]byte(e.hash())}]++
	}
	var conns []string
	var hashes [][]byte
	var at, count []int64
	for p, n := range counts {
		conns, hashes, at, count = append(conns, p.connection), append(hashes, p.hash[:]), append(at, now), append(count, n)
	}
	if len(conns) == 0 {
		return nil
	}
	_, err := t.insert(ctx, "ledger", "on conflict (connection, hash) do update set at = excluded.at, count = ledger.count + excluded.count",
		texts("connection", conns), blobs("hash", hashes), ints("at", at), ints("count", count))
	return err
}

// EchoTx reports whether every entry of one raw event is in the ledger, and if
// so uses each up once: the event is our own write coming back.
func (t *Tx) EchoTx(ctx context.Context, entries []LedgerEntry) (bool, error) {
	if len(entries) == 0 {
		return false, nil
	}
	hashes := make([][]byte, len(entries))
	for i, e := range entries {
		hashes[i] = e.hash()
	}
	fresh := t.s.nowMicros() - ledgerMicros
	var n int
	args := []any{entries[0].Connection, fresh, list(t.s.d, hashes)}
	where := "connection = ? and count > 0 and at > ? and " + t.s.d.oneOf("hash", "bytea")
	if err := t.one(ctx, "select count(*) from ledger where "+where, args, &n); err != nil || n < len(entries) {
		return false, err
	}
	_, err := t.exec(ctx, "update ledger set count = count - 1 where "+where, args...)
	return err == nil, err
}

// DropLedger forgets entries that are used up or too old.
func (s *Store) DropLedger(ctx context.Context, now lifecycle.Instant) error {
	return s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from ledger where count <= 0 or at < ?", int64(now)-ledgerMicros)
		return err
	})
}

// NoteRecordsTx stores the vendor's records of raw events.
func (t *Tx) NoteRecordsTx(ctx context.Context, ids []int64, records [][]byte, modified []lifecycle.Instant) error {
	fetched := make([]int64, len(ids))
	for i := range fetched {
		fetched[i] = t.s.nowMicros()
	}
	_, err := t.insert(ctx, "records", `on conflict (id) do update set record = excluded.record, modified_at = excluded.modified_at,
		fetched_at = excluded.fetched_at`, ints("id", ids), blobs("record", records), ints("modified_at", modified), ints("fetched_at", fetched))
	return err
}
