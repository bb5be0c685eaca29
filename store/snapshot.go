package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Snapshot reads what was there at one moment, whatever is written meanwhile.
// It is used by one goroutine, one call at a time.
type Snapshot struct {
	s  *Store
	tx *sql.Tx
}

func (n *Snapshot) query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	n.s.asked(ctx, q)
	return n.tx.QueryContext(ctx, n.s.d.text(q), args...)
}

// Snapshot runs fn over one moment of the database. It locks nothing.
func (s *Store) Snapshot(ctx context.Context, fn func(*Snapshot) error) error {
	o := sql.TxOptions{ReadOnly: true}
	if s.d.postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	tx, err := s.db.BeginTx(ctx, &o)
	if err != nil {
		return fmt.Errorf("store: snapshot: %w", away(err))
	}
	err = fn(&Snapshot{s, tx})
	_ = tx.Rollback() // nothing was written
	return err
}

// SummariesBuilt is Store.SummariesBuilt at the moment of the snapshot.
func (n *Snapshot) SummariesBuilt(ctx context.Context) (version, next int64, err error) {
	return summariesBuilt(ctx, n)
}

// Changes is Store.Changes at the moment of the snapshot.
func (n *Snapshot) Changes(ctx context.Context, most int) (Changes, error) {
	c, err := changes(ctx, n, most)
	if err != nil {
		return c, fmt.Errorf("store: changes: %w", away(err))
	}
	return c, nil
}

// ChangesWaiting is Store.ChangesWaiting at the moment of the snapshot.
func (n *Snapshot) ChangesWaiting(ctx context.Context) (people int64, since lifecycle.Instant, err error) {
	return changesWaiting(ctx, n)
}

// FirstPeople gives the smallest ids there are, sorted, those of merged people
// included.
func (n *Snapshot) FirstPeople(ctx context.Context, limit int) ([]lifecycle.ProfileID, error) {
	var ids []lifecycle.ProfileID
	rows, err := n.query(ctx, "select id from profiles order by id limit ?", limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id lifecycle.ProfileID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, wrapScan(err)
}

// People reads people by id, sorted and distinct, each with all events, merged
// ones included. Those who are not there are missing from the answer.
func (n *Snapshot) People(ctx context.Context, ids []lifecycle.ProfileID) ([]Whole, error) {
	all, err := peopleByID(ctx, n, n.s.d, ids)
	return all, wrapScan(err)
}

// EachSummaryBlock gives every block to fn, by number. The body is fn's only
// until it returns.
func (n *Snapshot) EachSummaryBlock(ctx context.Context, fn func(SummaryBlock) error) error {
	rows, err := n.query(ctx, "select block, revision, as_of, body from summaries order by block")
	err = each(rows, err, func(rows *sql.Rows) error {
		var b SummaryBlock
		var body sql.RawBytes
		if err := rows.Scan(&b.Number, &b.Revision, &b.AsOf, &body); err != nil {
			return err
		}
		b.Body = body
		return fn(b)
	})
	if err != nil {
		return fmt.Errorf("store: summaries: %w", away(err))
	}
	return nil
}
