package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// counter names one counted thing. Connection "" counts for the workspace.
type counter struct{ connection, name string }

// count adds to a counter when the transaction writes its counts. Counting
// last keeps the rows, which every transaction wants, locked for the shortest
// time.
func (s *Store) count(t *Tx, connection, name string, n int64) {
	if n == 0 {
		return
	}
	if t.counts == nil {
		t.counts = map[counter]int64{}
	}
	t.counts[counter{connection, name}] += n
}

// CountTx adds to a counter of a connection; "" is the workspace.
func (t *Tx) CountTx(connection, name string, n int64) { t.s.count(t, connection, name, n) }

// flushCounts writes the counts in one order for all, so that two transactions
// never wait for each other.
func (t *Tx) flushCounts(ctx context.Context) error {
	if len(t.counts) == 0 {
		return nil
	}
	all := make([]counter, 0, len(t.counts))
	for c := range t.counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b counter) int {
		return slices.Compare([]string{a.connection, a.name}, []string{b.connection, b.name})
	})
	conns, names, values := make([]string, len(all)), make([]string, len(all)), make([]int64, len(all))
	for i, c := range all {
		conns[i], names[i], values[i] = c.connection, c.name, t.counts[c]
	}
	_, err := t.insert(ctx, "counters", "on conflict (connection, name) do update set value = counters.value + excluded.value",
		texts("connection", conns), texts("name", names), ints("value", values))
	return err
}

// Counters gives all counters of all connections, by connection and name.
func (s *Store) Counters(ctx context.Context) (map[string]map[string]int64, error) {
	all := map[string]map[string]int64{}
	rows, err := s.query(ctx, "select connection, name, value from counters")
	err = each(rows, err, func(rows *sql.Rows) error {
		var c, n string
		var v int64
		if err := rows.Scan(&c, &n, &v); err != nil {
			return err
		}
		if all[c] == nil {
			all[c] = map[string]int64{}
		}
		all[c][n] = v
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: counters: %w", away(err))
	}
	return all, nil
}

// LifecycleCounter begins the names of the counters of people by stage in
// lifecycles beside the main one: the id, a colon and the stage follow.
const LifecycleCounter = "lifecycle:"
