package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Row is a raw event that waits for its turn.
type Row struct {
	ID         int64
	Connection string
	Type       string
	Flag       int64
	Dedupe     []byte
	Received   lifecycle.Instant
	At         lifecycle.Instant
	Meta       string
	Body       []byte
	// Record is the vendor's record fetched for it; nil without one.
	Record []byte
	// RecordAt is when the record was modified, or else fetched.
	RecordAt lifecycle.Instant
	Attempts int64
	// Replayed rows were processed before: what they gave is to be taken back.
	Replayed bool

	lane string
	next int64
}

// Batch is a set of rows that nobody else works on until it is committed or
// released. On PostgreSQL its transaction is open from the start and the rows
// are locked in it; on SQLite, which has one process, they are claimed in
// memory, so that a batch can be mapped while the one before it is written.
type Batch struct {
	Rows []Row
	s    *Store
	pg   *sql.Tx
}

// claims are the rows that batches of this process hold.
type claims struct {
	mu    sync.Mutex
	taken map[int64]bool
}

const takeRows = `select p.lane, p.next_try, p.attempts, p.reason = 'replay', i.id, i.connection, i.type, i.flag, i.dedupe, i.received_at, i.event_at,
	coalesce(i.meta, ''), i.body, r.record, coalesce(case when r.modified_at > 0 then r.modified_at else r.fetched_at end, 0)
	from (%s) p join inbox i on i.id = p.id left join records r on r.id = p.id`

// Take takes up to limit rows of a lane that are due, oldest first. The batch
// is nil when there are none.
func (s *Store) Take(ctx context.Context, lane string, limit int) (*Batch, error) {
	b := &Batch{s: s}
	var err error
	if s.d.postgres {
		err = b.takePostgres(ctx, lane, limit)
	} else {
		err = b.takeSQLite(ctx, lane, limit)
	}
	if err != nil {
		b.Release()
		return nil, fmt.Errorf("store: take: %w", away(err))
	}
	if len(b.Rows) == 0 {
		b.Release()
		return nil, nil
	}
	return b, nil
}

const dueRows = `select lane, next_try, attempts, reason, id from pending where lane = ? and next_try <= ? order by lane, next_try, id limit ?`

func (b *Batch) takePostgres(ctx context.Context, lane string, limit int) error {
	tx, err := b.s.db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	b.pg = tx
	if err := (&Tx{s: b.s, pg: tx}).byKey(ctx, "off"); err != nil {
		return err
	}
	q := fmt.Sprintf(takeRows, dueRows+b.s.d.skipLocked)
	rows, err := (&Tx{s: b.s, pg: tx}).query(ctx, q, lane, b.s.nowMicros(), limit)
	return each(rows, err, b.scan)
}

func (b *Batch) takeSQLite(ctx context.Context, lane string, limit int) error {
	q := fmt.Sprintf(takeRows, dueRows) + " order by p.next_try, p.id"
	return b.claim(limit, func(held int) (*sql.Rows, error) {
		return b.s.query(ctx, q, lane, b.s.nowMicros(), limit+held)
	})
}

// claim keeps up to limit of the rows that no other batch holds. The query
// runs under the claims' lock, so that it cannot still see rows of a batch
// that is committed, and gives its claims back, meanwhile.
func (b *Batch) claim(limit int, query func(held int) (*sql.Rows, error)) error {
	c := &b.s.claimed
	c.mu.Lock()
	defer c.mu.Unlock()
	rows, err := query(len(c.taken))
	return each(rows, err, func(rows *sql.Rows) error {
		if len(b.Rows) == limit {
			return nil
		}
		if err := b.scan(rows); err != nil {
			return err
		}
		last := b.Rows[len(b.Rows)-1].ID
		if c.taken[last] {
			b.Rows = b.Rows[:len(b.Rows)-1]
			return nil
		}
		c.taken[last] = true
		return nil
	})
}

func (b *Batch) scan(rows *sql.Rows) error {
	var r Row
	err := rows.Scan(&r.lane, &r.next, &r.Attempts, &r.Replayed, &r.ID, &r.Connection, &r.Type, &r.Flag, &r.Dedupe, &r.Received, &r.At,
		&r.Meta, &r.Body, &r.Record, &r.RecordAt)
	b.Rows = append(b.Rows, r)
	return err
}

// Commit runs fn in the batch's transaction and ends the batch. ErrRetry means
// that a concurrent transaction was in the way: nothing was written, and the
// rows are to be taken again.
func (b *Batch) Commit(ctx context.Context, fn func(*Tx) error) error {
	defer b.Release()
	if b.pg == nil {
		return b.s.in(ctx, derived, fn)
	}
	err := run(ctx, &Tx{s: b.s, pg: b.pg}, fn)
	if err == nil {
		begun := time.Now()
		if err = b.pg.Commit(); err == nil {
			b.s.committed(derived.String(), time.Since(begun))
		}
	}
	if retryable(err) {
		return fmt.Errorf("%w: %w", ErrRetry, err)
	}
	return away(err)
}

// ErrRetry asks to take the rows again and process them anew.
var ErrRetry = errors.New("store: concurrent change, take again")

// Release gives the rows back unless they were committed. It may be called
// twice.
func (b *Batch) Release() {
	if b.pg != nil {
		_ = b.pg.Rollback() // after a commit this does nothing
		return
	}
	c := &b.s.claimed
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b.Rows {
		delete(c.taken, b.Rows[i].ID)
	}
}

// TakeAgain takes rows of a batch that failed, as far as they still wait; nil
// when none does.
func (s *Store) TakeAgain(ctx context.Context, rows []Row) (*Batch, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	b := &Batch{s: s}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	due := `select lane, next_try, attempts, reason, id from pending where lane = ? and next_try <= ? and ` + s.d.oneOf("id", "bigint")
	var err error
	if s.d.postgres {
		if b.pg, err = s.db.BeginTx(context.WithoutCancel(ctx), nil); err == nil {
			err = (&Tx{s: s, pg: b.pg}).byKey(ctx, "off")
		}
		if err == nil {
			var found *sql.Rows
			found, err = (&Tx{s: s, pg: b.pg}).query(ctx, fmt.Sprintf(takeRows, due+s.d.skipLocked), rows[0].lane, s.nowMicros(), list(s.d, ids))
			err = each(found, err, b.scan)
		}
	} else {
		err = b.claim(len(ids), func(int) (*sql.Rows, error) {
			return s.query(ctx, fmt.Sprintf(takeRows, due), rows[0].lane, s.nowMicros(), list(s.d, ids))
		})
	}
	if err != nil || len(b.Rows) == 0 {
		b.Release()
		return nil, away(err)
	}
	return b, nil
}

// Reasons of pending rows: processed before, or with a vendor just now.
const (
	ReasonReplay    = "replay"
	ReasonEnriching = "enriching"
)

// Statuses of a raw event. Pending has no number: it is the lack of an outcome.
const (
	Done        int64 = 1
	Ignored     int64 = 2
	Quarantined int64 = 3
	Failed      int64 = 4
)

// StatusName spells a status as the API does.
func StatusName(status int64) string {
	return [...]string{"pending", "done", "ignored", "quarantined", "failed"}[status]
}

// Outcome is what became of one raw event.
type Outcome struct {
	Status int64
	// Step at which it was parked: decode, enrich, map, identify, plan, internal.
	Step, Reason, Detail string
	// Rule names the rules that matched, separated by commas.
	Rule string
	// Empty drops the row's bytes and what was kept beside them.
	Empty bool
}

// FinishTx writes the outcomes of rows, which leave pending, and counts them.
func (t *Tx) FinishTx(ctx context.Context, rows []Row, outcomes []Outcome) error {
	n := len(rows)
	ids, conns, status := make([]int64, n), make([]string, n), make([]int64, n)
	step, reason, detail, rule, at := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	now := t.s.nowMicros()
	for i := range rows {
		o := &outcomes[i]
		ids[i], conns[i], status[i], at[i] = rows[i].ID, rows[i].Connection, o.Status, now
		step[i], reason[i], detail[i], rule[i] = o.Step, clean(o.Reason, 100), clean(o.Detail, 2000), clean(o.Rule, 500)
		t.s.count(t, rows[i].Connection, StatusName(o.Status), 1)
	}
	if err := t.deletePending(ctx, rows); err != nil {
		return err
	}
	if err := t.emptyLate(ctx, rows, outcomes); err != nil {
		return err
	}
	if err := t.emptyAsked(ctx, ids, outcomes); err != nil {
		return err
	}
	_, err := t.insert(ctx, "outcomes", `on conflict (id) do update set status = excluded.status, step = excluded.step,
		reason = excluded.reason, detail = excluded.detail, rule = excluded.rule, at = excluded.at`,
		ints("id", ids), texts("connection", conns), ints("status", status), texts("step", step), texts("reason", reason),
		texts("detail", detail), texts("rule", rule), ints("at", at))
	return err
}

// deletePending takes rows out of pending. It fails when one of them is not
// where it was: somebody else has worked on it.
func (t *Tx) deletePending(ctx context.Context, rows []Row) error {
	lanes, next, ids := make([]string, len(rows)), make([]int64, len(rows)), make([]int64, len(rows))
	for i := range rows {
		lanes[i], next[i], ids[i] = rows[i].lane, rows[i].next, rows[i].ID
	}
	n, err := t.remove(ctx, "pending", texts("lane", lanes), ints("next_try", next), ints("id", ids))
	if err == nil && int(n) != len(ids) {
		err = fmt.Errorf("%w: rows were taken twice", ErrRetry)
	}
	return err
}

// PostponeTx moves rows to a lane, to be due at an instant, for a reason. It
// counts an attempt where tried says so.
func (t *Tx) PostponeTx(ctx context.Context, rows []Row, lane string, due []lifecycle.Instant, reason string, tried bool) error {
	if len(rows) == 0 {
		return nil
	}
	if err := t.deletePending(ctx, rows); err != nil {
		return err
	}
	lanes, ids, attempts, reasons := make([]string, len(rows)), make([]int64, len(rows)), make([]int64, len(rows)), make([]string, len(rows))
	for i := range rows {
		lanes[i], ids[i], attempts[i], reasons[i] = lane, rows[i].ID, rows[i].Attempts, reason
		if tried {
			attempts[i]++
		}
		if rows[i].Replayed {
			reasons[i] = ReasonReplay
		}
	}
	_, err := t.insert(ctx, "pending", "", texts("lane", lanes), ints("next_try", due), ints("id", ids), ints("attempts", attempts), texts("reason", reasons))
	return err
}

func (s *Store) nowMicros() int64 { return s.now().UnixMicro() }

// Moved notes where PostponeTx put a row, for the next transaction that names it.
func (r *Row) Moved(lane string, due lifecycle.Instant) {
	r.lane, r.next = lane, int64(due)
	r.Attempts++
}
