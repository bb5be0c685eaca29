package store

import (
	"cmp"
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
	// Message narrows down to words of this form; see MessageForm. "" takes all.
	Message string
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

// Bounds of a page of people at connections: how many times it is looked
// further where most of what is found does not fit, and how many rows at a time
// then.
const (
	syncRounds = 5
	syncLook   = 2_000
)

// SyncList lists people at connections, a page at a time.
func (s *Store) SyncList(ctx context.Context, f SyncFilter) (SyncPage, error) {
	var at syncPosition
	if err := decodeCursor(f.After, &at); err != nil {
		return SyncPage{}, fmt.Errorf("store: sync list: %w", err)
	}
	limit := page(f.Limit)
	left := f.Connections[min(max(0, slices.Index(f.Connections, at.Connection)), len(f.Connections)):]
	look, wide := limit+1, mostArms
	var out SyncPage
	for round := 0; len(left) > 0; round++ {
		if round == syncRounds {
			out.Next = encodeCursor(at)
			return out, nil
		}
		found, err := s.syncFrom(ctx, &f, left[:min(wide, len(left))], at, look)
		if err != nil {
			return SyncPage{}, fmt.Errorf("store: sync list: %w", away(err))
		}
		wide = mostArms
		for _, rows := range found {
			if left[0] != at.Connection {
				at = syncPosition{Connection: left[0]}
			}
			for i := range rows {
				if len(out.Rows) == limit {
					out.Next = encodeCursor(at)
					return out, nil
				}
				at.Due, at.Person = int64(rows[i].Due), int64(rows[i].Person)
				if f.takes(&rows[i]) {
					out.Rows = append(out.Rows, rows[i])
				}
			}
			if len(rows) == look { // there is more: in larger steps, and there alone
				look, wide = syncLook, 1
				break
			}
			look = limit + 1
			left = left[1:]
		}
	}
	return out, nil
}

func (f *SyncFilter) takes(x *Sync) bool {
	return (f.State == "" || x.State == f.State) && (f.Reason == "" || x.Reason == f.Reason) && (f.Person == 0 || x.Person == f.Person) && (f.Message == "" || MessageForm(x.Message) == f.Message)
}

// syncFrom reads on at connections, by the index that fits the state: at the
// first from a position, at the others from the beginning. It gives up to limit
// rows of each connection, in their order.
func (s *Store) syncFrom(ctx context.Context, f *SyncFilter, connections []string, at syncPosition, limit int) ([][]Sync, error) {
	q := "select " + syncColumns + " from sync where connection = ? "
	switch {
	case f.Person != 0:
		q += "and person = ? and person > ?"
	case f.State == SyncPending:
		q += "and due_at > 0 and (due_at, person) > (?, ?) order by due_at, person"
	case f.State == "" || f.State == SyncSynced:
		q += "and person > ? order by person"
	default:
		if !s.d.postgres {
			// Its planner knows nothing of the values and would rather walk
			// through everybody at the connection.
			q = strings.Replace(q, "from sync", "from sync indexed by sync_parked", 1)
		}
		q += "and state = ? and state not in ('synced', 'pending') and person > ? order by person"
	}
	var args []any
	for _, connection := range connections {
		args = append(args, connection)
		if connection != at.Connection {
			at = syncPosition{}
		}
		switch {
		case f.Person != 0:
			args = append(args, int64(f.Person), at.Person)
		case f.State == SyncPending:
			args = append(args, at.Due, at.Person)
		case f.State == "" || f.State == SyncSynced:
			args = append(args, at.Person)
		default:
			args = append(args, f.State, at.Person)
		}
		args = append(args, limit)
	}
	all := make([][]Sync, len(connections))
	rows, err := s.query(ctx, arms(len(connections), syncColumns, q+" limit ?"), args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var arm int
		x, err := scanSync(rows, &arm)
		if err == nil {
			all[arm] = append(all[arm], x)
		}
		return err
	})
	for _, rows := range all { // a statement of several selects promises no order
		slices.SortFunc(rows, func(a, b Sync) int {
			if f.State == SyncPending {
				return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Person, b.Person))
			}
			return cmp.Compare(a.Person, b.Person)
		})
	}
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
