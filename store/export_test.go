package store

import (
	"context"
	"database/sql"
)

// Ask runs a question of a test's own and gives the columns and rows.
func (s *Store) Ask(ctx context.Context, question string) (columns []string, found []map[string]any, err error) {
	rows, err := s.query(ctx, question)
	if err != nil {
		return nil, nil, err
	}
	columns, err = rows.Columns()
	err = each(rows, err, func(rows *sql.Rows) error {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := map[string]any{}
		for i, name := range columns {
			row[name] = values[i]
		}
		found = append(found, row)
		return nil
	})
	return columns, found, err
}
