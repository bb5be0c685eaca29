package store

import (
	"context"
	"fmt"
	"sync"
)

// sequences hands out ids in blocks, so that a batch knows its ids before it
// is written, on both databases and without a statement per id. Ids of a block
// that a process did not use are skipped for ever.
type sequences struct {
	mu    sync.Mutex
	state map[string]*block
}

type block struct{ next, end int64 }

// idBlock is how many ids a process takes at once.
const idBlock = 10_000

// take gives the first of n consecutive ids.
func (s *Store) take(ctx context.Context, name string, n int) (int64, error) {
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	b := s.ids.state[name]
	if b == nil || b.end-b.next < int64(n) {
		fresh, err := s.reserve(ctx, name, int64(max(n, idBlock)))
		if err != nil {
			return 0, fmt.Errorf("store: ids: %w", err)
		}
		if s.ids.state == nil {
			s.ids.state = map[string]*block{}
		}
		s.ids.state[name] = fresh
		b = fresh
	}
	first := b.next
	b.next += int64(n)
	return first, nil
}

func (s *Store) reserve(ctx context.Context, name string, n int64) (*block, error) {
	var end int64
	err := s.in(ctx, durable, func(t *Tx) error {
		return t.one(ctx, `insert into sequences (name, next) values (?, ?)
			on conflict (name) do update set next = sequences.next + excluded.next - 1 returning next`,
			[]any{name, n + 1}, &end)
	})
	if err != nil {
		return nil, err
	}
	return &block{next: end - n, end: end}, nil
}
