package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// behindRows is how many people SegmentsBehind looks at over all connections.
const behindRows = 2_000

// SegmentsBehind counts the members of segments whom a connection does not hold
// as it should: who waits, failed or is not confirmed there. It looks at a
// bounded number of such people per connection: whole is false where there are
// more, and the counts are then what was found among those.
func (s *Store) SegmentsBehind(ctx context.Context, connections []string, segments []lifecycle.Segment) (behind map[lifecycle.Segment]map[string]int64, whole bool, err error) {
	behind = map[lifecycle.Segment]map[string]int64{}
	if len(connections) == 0 || len(segments) == 0 {
		return behind, true, nil
	}
	most := max(50, behindRows/len(connections))
	hint := [2]string{}
	if !s.d.postgres {
		hint = [2]string{" indexed by sync_due", " indexed by sync_parked"} // as in syncFrom
	}
	var parts []string
	var args []any
	for _, c := range connections {
		parts = append(parts, "select * from (select connection, person from sync"+hint[0]+" where connection = ? and due_at > 0 order by due_at, person limit ?) d")
		args = append(args, c, most)
		for _, state := range []string{SyncFailed, SyncUnconfirmed, SyncSubmitted} {
			parts = append(parts, "select * from (select connection, person from sync"+hint[1]+" where connection = ? and state = ? and state not in ('synced', 'pending') order by person limit ?) p")
			args = append(args, c, state, most)
		}
	}
	names := make([]string, len(segments))
	for i, name := range segments {
		names[i] = clean(string(name), maxText)
	}
	// A row without a segment counts the people that were looked at.
	q := "with behind as (" + strings.Join(parts, " union ") + `) select '', connection, count(*) from behind group by connection
		union all select m.segment, b.connection, count(*) from behind b join memberships m on m.person = b.person and ` + s.d.oneOf("m.segment", "text") + " group by m.segment, b.connection"
	whole = true
	rows, err := s.query(ctx, q, append(args, list(s.d, names))...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var segment lifecycle.Segment
		var connection string
		var n int64
		err := rows.Scan(&segment, &connection, &n)
		if segment == "" {
			whole = whole && n < int64(most)
			return err
		}
		if behind[segment] == nil {
			behind[segment] = map[string]int64{}
		}
		behind[segment][connection] = n
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("store: segments behind: %w", away(err))
	}
	return behind, whole, nil
}
