package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// SyncFilter selects people at connections.
type SyncFilter struct {
	// Connections to look at, in this order; at least one.
	Connections []string
	// State is one of the Sync constants; "" takes all.
	State string
	// Reason narrows failed and skipped people down; "" takes all.
	Reason string
	// Person narrows down to one; zero takes all.
	Person lifecycle.ProfileID
	// After continues where SyncPage.Next ended; "" begins.
	After string
	Limit int
}

// SyncPage is a part of a list of people at connections. It may hold fewer
// rows than asked for while Next is not empty.
type SyncPage struct {
	Rows []Sync
	Next string
}

// syncPosition is the last row shown. Due counts for the state pending only,
// which is listed in the order in which it will be tried.
type syncPosition struct {
	Connection string `json:"c"`
	Due        int64  `json:"d,omitempty"`
	Person     int64  `json:"p"`
}

// SyncOf gives the rows of people at all connections, by connection.
func (s *Store) SyncOf(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]Sync, error) {
	all, err := s.syncOf(ctx, people)
	if err != nil {
		return nil, fmt.Errorf("store: sync of people: %w", away(err))
	}
	return all, nil
}

func (s *Store) syncOf(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]Sync, error) {
	all := map[lifecycle.ProfileID][]Sync{}
	if len(people) == 0 {
		return all, nil
	}
	rows, err := s.query(ctx, "select "+syncColumns+" from sync where "+anyConnection+s.d.oneOf("person", "bigint")+" order by person, connection", list(s.d, people))
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanSync(rows)
		all[x.Person] = append(all[x.Person], x)
		return err
	})
	return all, err
}

// SyncList lists people at connections, a page at a time.
func (s *Store) SyncList(ctx context.Context, f SyncFilter) (SyncPage, error) {
	var at syncPosition
	if err := decodeCursor(f.After, &at); err != nil {
		return SyncPage{}, fmt.Errorf("store: sync list: %w", err)
	}
	limit := page(f.Limit)
	from := max(0, slices.Index(f.Connections, at.Connection))
	var out SyncPage
	for _, connection := range f.Connections[min(from, len(f.Connections)):] {
		if connection != at.Connection {
			at = syncPosition{Connection: connection}
		}
		for round := 0; ; round++ {
			if round == maxRounds || len(out.Rows) == limit {
				out.Next = encodeCursor(at)
				return out, nil
			}
			rows, err := s.syncFrom(ctx, &f, at, limit+1)
			if err != nil {
				return SyncPage{}, fmt.Errorf("store: sync list: %w", away(err))
			}
			for i := 0; i < len(rows) && len(out.Rows) < limit; i++ {
				at.Due, at.Person = int64(rows[i].Due), int64(rows[i].Person)
				if f.takes(&rows[i]) {
					out.Rows = append(out.Rows, rows[i])
				}
			}
			if len(rows) <= limit && at.Person == lastPerson(rows, at.Person) {
				break
			}
		}
	}
	return out, nil
}

func lastPerson(rows []Sync, none int64) int64 {
	if len(rows) == 0 {
		return none
	}
	return int64(rows[len(rows)-1].Person)
}

func (f *SyncFilter) takes(x *Sync) bool {
	return (f.State == "" || x.State == f.State) && (f.Reason == "" || x.Reason == f.Reason) && (f.Person == 0 || x.Person == f.Person)
}

// syncFrom reads on from a position, by the index that fits the state.
func (s *Store) syncFrom(ctx context.Context, f *SyncFilter, at syncPosition, limit int) ([]Sync, error) {
	q := "select " + syncColumns + " from sync where connection = ? "
	args := []any{at.Connection}
	switch {
	case f.Person != 0:
		q, args = q+"and person = ? and person > ?", append(args, int64(f.Person), at.Person)
	case f.State == SyncPending:
		q, args = q+"and due_at > 0 and (due_at, person) > (?, ?) order by due_at, person", append(args, at.Due, at.Person)
	case f.State == "" || f.State == SyncSynced:
		q, args = q+"and person > ? order by person", append(args, at.Person)
	default:
		if !s.d.postgres {
			// Its planner knows nothing of the values and would rather walk
			// through everybody at the connection.
			q = strings.Replace(q, "from sync", "from sync indexed by sync_parked", 1)
		}
		q, args = q+"and state = ? and state not in ('synced', 'pending') and person > ? order by person", append(args, f.State, at.Person)
	}
	var all []Sync
	rows, err := s.query(ctx, q+" limit ?", append(args, limit)...)
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanSync(rows)
		all = append(all, x)
		return err
	})
	return all, err
}

// SyncCounts counts people by connection and state. It reads the whole table,
// so it is for readers that bear an answer some seconds old and keep it.
func (s *Store) SyncCounts(ctx context.Context) (map[string]map[string]int64, error) {
	all := map[string]map[string]int64{}
	rows, err := s.query(ctx, "select connection, state, count(*) from sync group by connection, state")
	err = each(rows, err, func(rows *sql.Rows) error {
		var connection, state string
		var n int64
		err := rows.Scan(&connection, &state, &n)
		if all[connection] == nil {
			all[connection] = map[string]int64{}
		}
		all[connection][state] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: sync counts: %w", away(err))
	}
	return all, nil
}
