package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// groupedRows is how many people SyncGroups looks at over all connections, and
// groupedLeast how many at each of them at least.
const (
	groupedRows  = 8_000
	groupedLeast = 200
)

// SyncGroup is people in one state at one connection for one reason, in words
// of the vendor that are alike.
type SyncGroup struct {
	Connection, State, Reason string
	// Message is the form of the vendor's words, as MessageForm gives it, and
	// Example what was said of one of the people.
	Message, Example string
	People           int64
}

// SyncGroups groups people in a state by connection, reason and the form of the
// vendor's words, the largest groups first. It looks at a bounded number of people per
// connection: whole is false where there are more. State is failed, skipped,
// submitted or unconfirmed.
func (s *Store) SyncGroups(ctx context.Context, connections []string, state string) (groups []SyncGroup, whole bool, err error) {
	if len(connections) == 0 {
		return nil, true, nil
	}
	most := max(groupedLeast, groupedRows/len(connections))
	hint := ""
	if !s.d.postgres {
		hint = " indexed by sync_parked" // as in syncFrom
	}
	var parts []string
	var args []any
	for _, c := range connections {
		parts = append(parts, "select * from (select connection, reason, message from sync"+hint+` where connection = ? and state = ?
			and state not in ('synced', 'pending') order by person limit ?) x`)
		args = append(args, c, state, most)
	}
	all := map[SyncGroup]*SyncGroup{}
	seen := map[string]int64{}
	rows, err := s.query(ctx, "select connection, reason, message, count(*) from ("+strings.Join(parts, " union all ")+") y group by connection, reason, message", args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		one := SyncGroup{State: state}
		var n int64
		err := rows.Scan(&one.Connection, &one.Reason, &one.Example, &n)
		seen[one.Connection] += n
		key := one
		key.Message, key.Example = MessageForm(one.Example), ""
		if all[key] == nil {
			one.Message = key.Message
			all[key] = &one
		}
		all[key].People += n
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("store: sync groups: %w", away(err))
	}
	whole = true
	for _, n := range seen {
		whole = whole && n < int64(most)
	}
	for _, g := range all {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b SyncGroup) int {
		return cmp.Or(-cmp.Compare(a.People, b.People), cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
	})
	return groups, whole, nil
}

// MessageForm gives a vendor's words without what differs from person to person:
// words with an @, and words with digits that are longer than a status code,
// become "…". Texts of one form are equal.
func MessageForm(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		bare := strings.Trim(word, `.,;:!?"'()[]{}<>`)
		if strings.Contains(bare, "@") || len(bare) > 3 && strings.ContainsAny(bare, "0123456789") {
			words[i] = strings.Replace(word, bare, "…", 1)
		}
	}
	return strings.Join(words, " ")
}
