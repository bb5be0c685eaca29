package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Note gives a named text of the installation; ErrNotFound when there is none.
func (s *Store) Note(ctx context.Context, name string) (string, error) {
	var text string
	rows, err := s.query(ctx, "select value from state where name = ?", name)
	if err == nil {
		err = scanOne(rows, &text)
	}
	if err != nil {
		return "", fmt.Errorf("store: note %s: %w", name, away(err))
	}
	return text, nil
}

// Notes gives every note whose name begins with prefix, by name.
func (s *Store) Notes(ctx context.Context, prefix string) (map[string]string, error) {
	all := map[string]string{}
	// Names compare by their bytes in both databases where they are cut to the
	// prefix's length first.
	rows, err := s.query(ctx, "select name, value from state where substr(name, 1, ?) = ?", len(prefix), prefix)
	err = each(rows, err, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		all[name] = value
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: notes: %w", away(err))
	}
	return all, nil
}

// SetNote keeps a named text; one of that name is replaced.
func (s *Store) SetNote(ctx context.Context, name, value string) error {
	if err := s.in(ctx, durable, func(t *Tx) error { return t.setState(ctx, name, value) }); err != nil {
		return fmt.Errorf("store: note %s: %w", name, err)
	}
	return nil
}

// DropNote forgets a named text. One that is not there is no error.
func (s *Store) DropNote(ctx context.Context, name string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from state where name = ?", name)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: note %s: %w", name, err)
	}
	return nil
}
