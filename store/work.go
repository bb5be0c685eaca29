package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// WorkState says how far long work is.
type WorkState string

// The states of long work. The first two are live, the others are its end.
const (
	WorkQueued   WorkState = "queued"
	WorkRunning  WorkState = "running"
	WorkDone     WorkState = "done"
	WorkCanceled WorkState = "canceled"
	WorkFailed   WorkState = "failed"
)

// Live tells whether the work is still to be done.
func (s WorkState) Live() bool { return s == WorkQueued || s == WorkRunning }

// Work is the record of long work.
type Work struct {
	ID   int64
	Kind string
	// Subject is what it is about: there is one live record of a kind and subject.
	Subject string
	State   WorkState
	// Args, Place and Result are JSON or empty: what to do, where to go on,
	// and what came of it.
	Args, Place, Result string
	// Done of Total, in the kind's unit; Total is zero while it is not known.
	Done, Total int64
	// Rate is units per second of the present run.
	Rate float64
	// Attempts that ended in an error, the newest of which is Error.
	Attempts int64
	Error    string
	// Cancel: somebody asked to end it.
	Cancel                              bool
	Author, Reason                      string
	Created, Started, Updated, Finished lifecycle.Instant
}

const workColumns = `id, kind, subject, state, args, place, result, done, total, rate, attempts, error, cancel, author, reason,
	created_at, started_at, updated_at, finished_at`

// StartWork adds a record to be done, unless a live one of its kind and
// subject is there: then that is the answer, and fresh is false.
func (s *Store) StartWork(ctx context.Context, w Work) (live Work, fresh bool, err error) {
	err = s.in(ctx, durable, func(t *Tx) error {
		var err error
		live, fresh, err = t.startWork(ctx, w)
		return err
	})
	if err != nil {
		return live, false, fmt.Errorf("store: start %s: %w", w.Kind, err)
	}
	return live, fresh, nil
}

func (t *Tx) startWork(ctx context.Context, w Work) (live Work, fresh bool, err error) {
	now := t.s.nowMicros()
	var id int64
	if err := t.one(ctx, `insert into sequences (name, next) values ('work', 2)
		on conflict (name) do update set next = sequences.next + 1 returning next - 1`, nil, &id); err != nil {
		return live, false, err
	}
	n, err := t.exec(ctx, `insert into work (id, kind, subject, state, args, total, author, reason, created_at, updated_at)
		values (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		id, w.Kind, w.Subject, w.Args, w.Total, w.Author, w.Reason, now, now)
	if err != nil {
		return live, false, err
	}
	rows, err := t.query(ctx, "select "+workColumns+" from work where kind = ? and subject = ? and state in ('queued', 'running')", w.Kind, w.Subject)
	live, err = onlyWork(rows, err)
	if errors.Is(err, ErrNotFound) {
		return live, false, errAgain // it ended between the two statements
	}
	return live, n > 0, err
}

// TakeWork claims the oldest live work that nobody is at, of the kinds given
// (nil: of any), or only the one with id where that is not zero. The claim
// ends after span unless KeepWork renews it. ErrNotFound: there is none.
func (s *Store) TakeWork(ctx context.Context, id int64, kinds []string, owner string, span time.Duration) (Work, error) {
	now, err := s.ServerTime(ctx)
	if err != nil {
		return Work{}, err
	}
	which, args := "", []any{owner, int64(now) + span.Microseconds(), int64(now), int64(now), int64(now)}
	if id != 0 {
		which, args = which+" and id = ?", append(args, id)
	}
	if kinds != nil {
		which, args = which+" and "+s.d.oneOf("kind", "text"), append(args, list(s.d, kinds))
	}
	var w Work
	err = s.in(ctx, durable, func(t *Tx) error {
		rows, err := t.query(ctx, `update work set state = 'running', owner = ?, lease = ?, updated_at = ?,
			started_at = case when started_at = 0 then ? else started_at end
			where id = (select id from work where state in ('queued', 'running') and lease <= ?`+which+` order by id limit 1`+s.d.skipLocked+`)
			returning `+workColumns, args...)
		w, err = onlyWork(rows, err)
		return err
	})
	if err != nil {
		return w, fmt.Errorf("store: take work: %w", err)
	}
	return w, nil
}

// WorkDue tells whether there is work of the kinds that TakeWork would take.
func (s *Store) WorkDue(ctx context.Context, kinds []string) (bool, error) {
	var one int
	rows, err := s.query(ctx, "select 1 from work where state in ('queued', 'running') and lease <= ? and "+s.d.oneOf("kind", "text")+" limit 1",
		s.nowMicros(), list(s.d, kinds))
	if err == nil {
		err = scanOne(rows, &one)
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: work due: %w", away(err))
	}
	return true, nil
}

// KeepWork renews a claim and notes progress and place. It answers whether
// somebody asked to end the work; ErrStale when the claim was lost.
func (s *Store) KeepWork(ctx context.Context, w *Work, owner string, span time.Duration) (cancel bool, err error) {
	now, err := s.ServerTime(ctx)
	if err != nil {
		return false, err
	}
	var asked int64
	err = s.in(ctx, derived, func(t *Tx) error {
		err := t.one(ctx, `update work set lease = ?, done = ?, total = ?, rate = ?, place = ?, updated_at = ?
			where id = ? and owner = ? and state = 'running' returning cancel`,
			[]any{int64(now) + span.Microseconds(), w.Done, w.Total, w.Rate, w.Place, int64(now), w.ID, owner}, &asked)
		if errors.Is(err, ErrNotFound) {
			return ErrStale
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: keep work %d: %w", w.ID, err)
	}
	return asked != 0, nil
}

// EndWork gives a claim back with the state, progress, place, result and error
// that w has. Work that is queued again may be taken once wait is over.
// ErrStale: the claim was lost, nothing was written.
func (s *Store) EndWork(ctx context.Context, w *Work, owner string, wait time.Duration) error {
	now, err := s.ServerTime(ctx)
	if err != nil {
		return err
	}
	finished, lease := int64(0), int64(0)
	if !w.State.Live() {
		finished = int64(now)
	} else if wait > 0 {
		lease = int64(now) + wait.Microseconds()
	}
	err = s.in(ctx, durable, func(t *Tx) error {
		n, err := t.exec(ctx, `update work set state = ?, owner = '', lease = ?, done = ?, total = ?, rate = ?, place = ?, result = ?, attempts = ?,
			error = ?, updated_at = ?, finished_at = ? where id = ? and owner = ? and state = 'running'`,
			string(w.State), lease, w.Done, w.Total, w.Rate, w.Place, w.Result, w.Attempts, w.Error, int64(now), finished, w.ID, owner)
		return orElse(n, err, ErrStale)
	})
	if err != nil {
		return fmt.Errorf("store: end work %d: %w", w.ID, err)
	}
	return nil
}

// CancelWork asks to end live work; whoever is at it, or takes it next, does
// so. It answers the record as it stands; one that is over stays as it is.
func (s *Store) CancelWork(ctx context.Context, id int64) (Work, error) {
	var w Work
	err := s.in(ctx, durable, func(t *Tx) error {
		if _, err := t.exec(ctx, `update work set cancel = 1, lease = case when owner = '' then 0 else lease end, updated_at = ?
			where id = ? and state in ('queued', 'running')`, s.nowMicros(), id); err != nil {
			return err
		}
		rows, err := t.query(ctx, "select "+workColumns+" from work where id = ?", id)
		w, err = onlyWork(rows, err)
		return err
	})
	if err != nil {
		return w, fmt.Errorf("store: cancel work %d: %w", id, err)
	}
	return w, nil
}

// WorkByID gives a record.
func (s *Store) WorkByID(ctx context.Context, id int64) (Work, error) {
	rows, err := s.query(ctx, "select "+workColumns+" from work where id = ?", id)
	w, err := onlyWork(rows, err)
	if err != nil {
		return w, fmt.Errorf("store: work %d: %w", id, away(err))
	}
	return w, nil
}

// WorkFilter chooses records; its zero value takes all.
type WorkFilter struct {
	Kind  string
	State WorkState
	// Before is the id of the last record of the page before; zero: the newest.
	Before int64
	Limit  int
}

// Works lists records, newest first.
func (s *Store) Works(ctx context.Context, f WorkFilter) ([]Work, error) {
	where, args := "1 = 1", []any{}
	if f.Kind != "" {
		where, args = where+" and kind = ?", append(args, f.Kind)
	}
	if f.State != "" {
		where, args = where+" and state = ?", append(args, string(f.State))
	}
	if f.Before != 0 {
		where, args = where+" and id < ?", append(args, f.Before)
	}
	rows, err := s.query(ctx, "select "+workColumns+" from work where "+where+" order by id desc limit ?", append(args, page(f.Limit))...)
	all, err := allWork(rows, err)
	if err != nil {
		return nil, fmt.Errorf("store: works: %w", away(err))
	}
	return all, nil
}

// DropWork forgets records that were over before an instant.
func (s *Store) DropWork(ctx context.Context, before lifecycle.Instant) error {
	err := s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from work where finished_at > 0 and finished_at < ?", int64(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: drop work: %w", err)
	}
	return nil
}

func allWork(rows *sql.Rows, err error) ([]Work, error) {
	var all []Work
	err = each(rows, err, func(rows *sql.Rows) error {
		var w Work
		var state string
		var cancel int64
		err := rows.Scan(&w.ID, &w.Kind, &w.Subject, &state, &w.Args, &w.Place, &w.Result, &w.Done, &w.Total, &w.Rate, &w.Attempts, &w.Error, &cancel,
			&w.Author, &w.Reason, &w.Created, &w.Started, &w.Updated, &w.Finished)
		w.State, w.Cancel = WorkState(state), cancel != 0
		all = append(all, w)
		return err
	})
	return all, err
}

func onlyWork(rows *sql.Rows, err error) (Work, error) {
	all, err := allWork(rows, err)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Work{}, err
	}
	return all[0], nil
}
