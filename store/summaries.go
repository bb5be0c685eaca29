package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// SummaryBlock holds the summaries of people with neighbouring ids. The store
// does not look into the body.
type SummaryBlock struct {
	Number int64
	// Revision counts how often the block was written; zero: not yet.
	Revision int64
	// AsOf is when the block was written.
	AsOf lifecycle.Instant
	Body []byte
}

// SummaryBlocks reads blocks by number; those that are not there are missing
// from the answer.
func (s *Store) SummaryBlocks(ctx context.Context, numbers []int64) (map[int64]SummaryBlock, error) {
	all := make(map[int64]SummaryBlock, len(numbers))
	rows, err := s.query(ctx, "select block, revision, as_of, body from summaries where "+s.d.oneOf("block", "bigint"), list(s.d, numbers))
	err = each(rows, err, func(rows *sql.Rows) error {
		var b SummaryBlock
		err := rows.Scan(&b.Number, &b.Revision, &b.AsOf, &b.Body)
		all[b.Number] = b
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: summaries: %w", away(err))
	}
	return all, nil
}

// SaveSummaryBlocks writes blocks, sorted by number, each as the revision
// after the one it names. ErrStale means that somebody else wrote one of them
// meanwhile, and that none was written.
func (s *Store) SaveSummaryBlocks(ctx context.Context, blocks []SummaryBlock) error {
	n := len(blocks)
	numbers, revisions, asOf, bodies := make([]int64, n), make([]int64, n), make([]int64, n), make([][]byte, n)
	for i := range blocks {
		b := &blocks[i]
		numbers[i], revisions[i], asOf[i], bodies[i] = b.Number, b.Revision+1, int64(b.AsOf), b.Body
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		written, err := t.insert(ctx, "summaries", `on conflict (block) do update set revision = excluded.revision, as_of = excluded.as_of, body = excluded.body
			where summaries.revision = excluded.revision - 1`,
			ints("block", numbers), ints("revision", revisions), ints("as_of", asOf), blobs("body", bodies))
		if err == nil && int(written) != n {
			return ErrStale
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: summaries: %w", err)
	}
	return nil
}

// SummariesBuilt tells in which form summaries were made of everybody there
// was: the form's version once all were, and, while they are being made, the
// block to go on with. Both are zero in the beginning.
func (s *Store) SummariesBuilt(ctx context.Context) (version, next int64, err error) {
	return summariesBuilt(ctx, s)
}

func summariesBuilt(ctx context.Context, q querier) (version, next int64, err error) {
	var text string
	rows, err := q.query(ctx, "select value from state where name = 'summaries'")
	if err == nil {
		err = scanOne(rows, &text)
	}
	if errors.Is(err, ErrNotFound) {
		return 0, 0, nil
	}
	if err == nil {
		_, err = fmt.Sscan(text, &version, &next)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("store: summaries: %w", away(err))
	}
	return version, next, nil
}

// StartSummaries begins to make summaries of a form, unless that was begun
// already: the blocks of another form go, and so does who changed until now,
// since everybody will be summed up.
func (s *Store) StartSummaries(ctx context.Context, version int64) error {
	err := s.in(ctx, derived, func(t *Tx) error {
		n, err := t.exec(ctx, `insert into state (name, value) values ('summaries', ?) on conflict (name) do update set value = excluded.value
			where state.value not like ?`, fmt.Sprintf("%d 0", version), fmt.Sprintf("%d %%", version))
		if err != nil || n == 0 {
			return err
		}
		if _, err := t.exec(ctx, "delete from summaries"); err != nil {
			return err
		}
		_, err = t.exec(ctx, "delete from changes")
		return err
	})
	if err != nil {
		return fmt.Errorf("store: summaries: %w", err)
	}
	return nil
}

// NoteSummaries notes how far summaries of a form were made; next is -1 when
// there is one of everybody.
func (s *Store) NoteSummaries(ctx context.Context, version, next int64) error {
	err := s.in(ctx, derived, func(t *Tx) error { return t.setState(ctx, "summaries", fmt.Sprint(version, next)) })
	if err != nil {
		return fmt.Errorf("store: summaries: %w", err)
	}
	return nil
}
