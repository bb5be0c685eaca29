package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// States of a request for erasure, as the API spells them.
const (
	ErasureOpen      = "open"      // waits for a person to confirm or reject it
	ErasureConfirmed = "confirmed" // is to be carried out, or is being
	ErasureDone      = "done"      // carried out here; the certificates tell of the vendors
	ErasureRejected  = "rejected"
)

// Erasure is a request to erase a person. It names nobody but by number.
type Erasure struct {
	ID     int64
	Person lifecycle.ProfileID
	State  string
	// Connection, Event and Inbox tell where the request came from; zero where
	// somebody here opened it.
	Connection string
	Event      lifecycle.EventID
	Inbox      int64
	Author     string
	Reason     string
	Opened     lifecycle.Instant
	// DecidedBy confirmed or rejected it; what the person did up to Decided goes.
	DecidedBy string
	Decided   lifecycle.Instant
	Done      lifecycle.Instant
	// Result is a JSON object of what was removed, by kind; empty before.
	Result string
}

const erasureColumns = "id, person, state, connection, event, inbox, author, reason, opened_at, decided_by, decided_at, done_at, result"

func allErasures(rows *sql.Rows, err error) ([]Erasure, error) {
	var all []Erasure
	err = each(rows, err, func(rows *sql.Rows) error {
		var e Erasure
		var event []byte
		err := rows.Scan(&e.ID, &e.Person, &e.State, &e.Connection, &event, &e.Inbox, &e.Author, &e.Reason, &e.Opened, &e.DecidedBy, &e.Decided, &e.Done, &e.Result)
		copy(e.Event[:], event)
		all = append(all, e)
		return err
	})
	return all, err
}

// OpenErasureTx opens a request, unless its event opened one before or one of
// the same person is live; then it changes nothing and answers ErrExists.
func (t *Tx) OpenErasureTx(ctx context.Context, e *Erasure) error {
	if err := t.one(ctx, `insert into sequences (name, next) values ('erasures', 2)
		on conflict (name) do update set next = sequences.next + 1 returning next - 1`, nil, &e.ID); err != nil {
		return err
	}
	var event []byte
	if e.Event != (lifecycle.EventID{}) {
		event = e.Event[:]
	}
	e.Opened = lifecycle.Instant(t.s.nowMicros())
	n, err := t.exec(ctx, "insert into erasures ("+erasureColumns+") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '') on conflict do nothing",
		e.ID, int64(e.Person), e.State, e.Connection, event, e.Inbox, clean(e.Author, maxText), clean(e.Reason, 1000), int64(e.Opened), clean(e.DecidedBy, maxText), int64(e.Decided))
	if err == nil && n == 0 {
		err = ErrExists
	}
	return err
}

// LiveErasure gives the request of a person that is open or confirmed, or
// ErrNotFound.
func (s *Store) LiveErasure(ctx context.Context, person lifecycle.ProfileID) (*Erasure, error) {
	return s.oneErasure(ctx, "person = ? and state in ('open', 'confirmed')", int64(person))
}

// Erasure gives a request by its number, or ErrNotFound.
func (s *Store) Erasure(ctx context.Context, id int64) (*Erasure, error) {
	return s.oneErasure(ctx, "id = ?", id)
}

func (s *Store) oneErasure(ctx context.Context, where string, args ...any) (*Erasure, error) {
	rows, err := s.query(ctx, "select "+erasureColumns+" from erasures where "+where+" limit 1", args...)
	all, err := allErasures(rows, err)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: erasure: %w", away(err))
	}
	return &all[0], nil
}

// ErasureFilter selects requests. Zero fields take all.
type ErasureFilter struct {
	State  string
	Person lifecycle.ProfileID
	// Before continues a list behind a request's number.
	Before int64
	Limit  int
}

// Erasures lists requests, newest first.
func (s *Store) Erasures(ctx context.Context, f ErasureFilter) ([]Erasure, error) {
	where, args := "1 = 1", []any{}
	if f.State != "" {
		where, args = where+" and state = ?", append(args, clean(f.State, maxText))
	}
	if f.Person != 0 {
		where, args = where+" and person = ?", append(args, int64(f.Person))
	}
	if f.Before != 0 {
		where, args = where+" and id < ?", append(args, f.Before)
	}
	rows, err := s.query(ctx, "select "+erasureColumns+" from erasures where "+where+" order by id desc limit ?", append(args, page(f.Limit))...)
	all, err := allErasures(rows, err)
	if err != nil {
		return nil, fmt.Errorf("store: erasures: %w", away(err))
	}
	return all, nil
}

// DecideErasure confirms or rejects an open request. The error is ErrStale
// when it is not open, ErrNotFound when there is none.
func (s *Store) DecideErasure(ctx context.Context, id int64, state, author string, at lifecycle.Instant) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		n, err := t.exec(ctx, "update erasures set state = ?, decided_by = ?, decided_at = ? where id = ? and state = 'open'", state, clean(author, maxText), int64(at), id)
		if err != nil {
			return err
		}
		if n == 0 {
			var was string
			if err := t.one(ctx, "select state from erasures where id = ?", []any{id}, &was); err != nil {
				return err
			}
			return fmt.Errorf("%w: it is %s", ErrStale, was)
		}
		return t.Audit(ctx, "erasure."+state, fmt.Sprint("erasure:", id), nil, map[string]any{"by": author})
	})
	if err != nil {
		return fmt.Errorf("store: erasure %d: %w", id, err)
	}
	return nil
}

// ConfirmedErasures gives up to limit requests that are to be carried out,
// oldest first.
func (s *Store) ConfirmedErasures(ctx context.Context, limit int) ([]Erasure, error) {
	rows, err := s.query(ctx, "select "+erasureColumns+" from erasures where state = 'confirmed' order by id limit ?", limit)
	all, err := allErasures(rows, err)
	if err != nil {
		return nil, fmt.Errorf("store: erasures: %w", away(err))
	}
	return all, nil
}

// EndErasure notes what was removed for a confirmed request. The reason is
// what is left of the words it was opened with.
func (s *Store) EndErasure(ctx context.Context, id int64, reason, result string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		if _, err := t.exec(ctx, "update erasures set state = 'done', reason = ?, result = ?, done_at = ? where id = ? and state = 'confirmed'",
			clean(reason, 1000), result, s.nowMicros(), id); err != nil {
			return err
		}
		return t.Audit(ctx, "erasure.done", fmt.Sprint("erasure:", id), nil, rawObject(result))
	})
	if err != nil {
		return fmt.Errorf("store: erasure %d: %w", id, err)
	}
	return nil
}

// Block is a keyed hash of something erased.
type Block struct {
	Hash [16]byte
	// Until is the erasure's time: what happened up to it stays out.
	Until lifecycle.Instant
}

// AddBlocksTx keeps hashes, which must be distinct, and bumps the version of
// the configuration, so that no batch is processed without knowing them. Of a
// hash that is there the later time counts. applied says that what is stored
// was held against them; else Unapplied tells of them. It must run first in
// its transaction.
func (t *Tx) AddBlocksTx(ctx context.Context, all []Block, applied bool) error {
	if err := t.bumpConfig(ctx); err != nil {
		return err
	}
	var last int64
	n := len(all)
	if err := t.one(ctx, `insert into sequences (name, next) values ('erased', ?)
		on conflict (name) do update set next = sequences.next + excluded.next - 1 returning next - 1`, []any{n + 1}, &last); err != nil {
		return err
	}
	hashes, until, seq, done := make([][]byte, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range all {
		hashes[i], until[i], seq[i], done[i] = all[i].Hash[:], int64(all[i].Until), last-int64(i), bit(applied)
	}
	_, err := t.insert(ctx, "erased", `on conflict (hash) do update set seq = excluded.seq, applied = excluded.applied,
		until = case when erased.until > excluded.until then erased.until else excluded.until end`,
		blobs("hash", hashes), ints("until", until), ints("seq", seq), ints("applied", done))
	return err
}

// Blocks reads the hashes behind a number, oldest first, and gives the number
// of the last one.
func (s *Store) Blocks(ctx context.Context, after int64) (all []Block, last int64, err error) {
	last = after
	rows, err := s.query(ctx, "select hash, until, seq from erased where seq > ? order by seq", after)
	err = each(rows, err, func(rows *sql.Rows) error {
		var b Block
		var hash []byte
		err := rows.Scan(&hash, &b.Until, &last)
		copy(b.Hash[:], hash)
		all = append(all, b)
		return err
	})
	if err != nil {
		return nil, after, fmt.Errorf("store: erased: %w", away(err))
	}
	return all, last, nil
}

// AddBlocks keeps hashes that what is stored was not held against yet: those
// of erasures that a restored backup knows nothing of.
func (s *Store) AddBlocks(ctx context.Context, all []Block) error {
	err := s.in(ctx, durable, func(t *Tx) error { return t.AddBlocksTx(ctx, all, false) })
	if err != nil {
		return fmt.Errorf("store: erased: %w", err)
	}
	return nil
}

// Unapplied gives the number of the newest hash that what is stored is still
// to be held against; zero: none.
func (s *Store) Unapplied(ctx context.Context) (int64, error) {
	var last sql.NullInt64
	rows, err := s.query(ctx, "select max(seq) from erased where applied = 0")
	if err == nil {
		err = scanOne(rows, &last)
	}
	if err != nil {
		return 0, fmt.Errorf("store: erased: %w", away(err))
	}
	return last.Int64, nil
}

// NoteApplied notes that what is stored was held against the hashes up to a
// number.
func (s *Store) NoteApplied(ctx context.Context, last int64) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, "update erased set applied = 1 where applied = 0 and seq <= ?", last)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: erased: %w", err)
	}
	return nil
}

// ErasuresDue tells whether there is anything to erase.
func (s *Store) ErasuresDue(ctx context.Context) (bool, error) {
	confirmed, err := s.ConfirmedErasures(ctx, 1)
	if err != nil || len(confirmed) > 0 {
		return len(confirmed) > 0, err
	}
	last, err := s.Unapplied(ctx)
	return last > 0, err
}
