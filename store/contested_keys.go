package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// ContestedKeys gives the keys of those of some people who are in a contested
// set, where an event may name keys that are not its person's.
func (s *Store) ContestedKeys(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]string, error) {
	if len(people) == 0 {
		return nil, nil
	}
	var all map[lifecycle.ProfileID][]string
	rows, err := s.query(ctx, "select id, keys from profiles where contested > 0 and "+s.d.oneOf("id", "bigint"), list(s.d, people))
	err = each(rows, err, func(rows *sql.Rows) error {
		var id lifecycle.ProfileID
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		if all == nil {
			all = map[lifecycle.ProfileID][]string{}
		}
		all[id] = strings.Split(text, "\n")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: contested keys: %w", away(err))
	}
	return all, nil
}
