package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// resyncChunk is how many people one transaction makes due, so that ingest and
// processing get their turn in between.
const resyncChunk = 2_000

// Resync makes every live person due at a connection, with nothing believed
// about what the vendor holds, so that everything is sent; people who never
// were due there are among them. They are due Behind, but for those who were due
// already. It answers how many. It works through the people in several
// transactions; repeating one that broke off is harmless.
func (s *Store) Resync(ctx context.Context, connection string) (total int64, err error) {
	err = s.ResyncFrom(ctx, connection, 0, func(_ lifecycle.ProfileID, n int64) error {
		total += n
		return nil
	})
	return total, err
}

// ResyncFrom is Resync of the people behind one, in the order of their ids; told
// hears after each transaction up to whom they are due now and how many it made
// so, and ends it by an error.
func (s *Store) ResyncFrom(ctx context.Context, connection string, from lifecycle.ProfileID, told func(upTo lifecycle.ProfileID, n int64) error) error {
	after := int64(from)
	for {
		var end sql.NullInt64
		rows, err := s.query(ctx, "select max(id) from (select id from profiles where id > ? order by id limit ?) p", after, resyncChunk)
		if err == nil {
			err = scanOne(rows, &end)
		}
		if err != nil {
			return fmt.Errorf("store: resync of %s: %w", connection, away(err))
		}
		if !end.Valid {
			return nil
		}
		var n int64
		err = s.in(ctx, derived, func(t *Tx) error {
			var err error
			n, err = t.exec(ctx, `insert into sync (connection, person, version, state, due_at)
				select cast(? as text), id, 1, 'pending', cast(? as bigint) from profiles where merged = 0 and id > ? and id <= ? order by id
				on conflict (connection, person) do update set version = sync.version + 1, state = 'pending', attempts = 0, known = '',
				due_at = case when sync.lease > 0 or sync.due_at > 0 and sync.due_at <= ? then sync.due_at else excluded.due_at end`,
				connection, int64(Behind), after, end.Int64, s.nowMicros())
			return err
		})
		if err != nil {
			return fmt.Errorf("store: resync of %s: %w", connection, err)
		}
		after = end.Int64
		if err := told(lifecycle.ProfileID(after), n); err != nil {
			return err
		}
	}
}

// SyncDue counts the people at a connection who were due at an instant or
// before and are still; those due Behind are among them.
func (s *Store) SyncDue(ctx context.Context, connection string, by lifecycle.Instant) (n int64, err error) {
	rows, err := s.query(ctx, "select count(*) from sync where connection = ? and due_at > 0 and due_at <= ?", connection, int64(by))
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("store: due at %s: %w", connection, away(err))
	}
	return n, nil
}

// ReasonCanceled is that of people whom StopBehind passed over.
const ReasonCanceled = "canceled"

// StopBehind passes over everybody who is due Behind at a connection, as skipped
// with ReasonCanceled, and answers how many that were. It works in several
// transactions and may be repeated.
func (s *Store) StopBehind(ctx context.Context, connection string) (int64, error) {
	for total := int64(0); ; {
		var n int64
		err := s.in(ctx, derived, func(t *Tx) error {
			var err error
			n, err = t.exec(ctx, `update sync set due_at = 0, state = 'skipped', reason = ?, message = '' where connection = ? and person in (
				select person from sync where connection = ? and due_at > 0 and due_at <= ? order by due_at, person limit ?)`,
				ReasonCanceled, connection, connection, int64(Behind), resyncChunk)
			return err
		})
		if err != nil || n == 0 {
			return total, err
		}
		total += n
	}
}

// RetrySync makes people due again who failed, were skipped or could not be
// confirmed; the filter's State must be one of these, its page is ignored.
// With dryRun it only counts them.
func (s *Store) RetrySync(ctx context.Context, f SyncFilter, dryRun bool) (int64, error) {
	if dryRun && f.Person == 0 && f.Message == "" {
		return s.countParked(ctx, &f)
	}
	var total int64
	for _, connection := range f.Connections {
		at := syncPosition{Connection: connection}
		for {
			found, err := s.syncFrom(ctx, &f, []string{connection}, at, resyncChunk)
			if err != nil {
				return total, fmt.Errorf("store: retry at %s: %w", connection, away(err))
			}
			rows := found[0]
			if len(rows) == 0 {
				break
			}
			at.Person = int64(rows[len(rows)-1].Person)
			var people []lifecycle.ProfileID
			for i := range rows {
				if f.takes(&rows[i]) {
					people = append(people, rows[i].Person)
				}
			}
			n := int64(len(people))
			if !dryRun && n > 0 {
				due := Behind
				if f.Person != 0 {
					due = lifecycle.Instant(s.nowMicros()) // somebody looks at this one
				}
				if n, err = s.makeDue(ctx, connection, f.State, people, due); err != nil {
					return total, fmt.Errorf("store: retry at %s: %w", connection, err)
				}
			}
			total += n
		}
	}
	return total, nil
}

func (s *Store) makeDue(ctx context.Context, connection, state string, people []lifecycle.ProfileID, due lifecycle.Instant) (n int64, err error) {
	err = s.in(ctx, derived, func(t *Tx) error {
		n, err = t.exec(ctx, `update sync set state = 'pending', attempts = 0, flips = 0, due_at = case when lease > 0 then due_at else ? end
			where connection = ? and state = ? and `+s.d.oneOf("person", "bigint"), int64(due), connection, state, list(s.d, people))
		return err
	})
	return n, err
}
