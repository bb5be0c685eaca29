package store

import (
	"errors"
	"testing"
)

// newerSchema marks a folder as written by a later version; oldest is the
// schema that a program must know for it, empty for not said.
func newerSchema(t *testing.T, dir, oldest string) {
	t.Helper()
	s := openTest(t, dir)
	err := s.in(t.Context(), durable, func(tx *Tx) error {
		if _, err := tx.exec(t.Context(), "insert into goose_db_version (version_id, is_applied) values (99999, 1)"); err != nil || oldest == "" {
			return err
		}
		return tx.setState(t.Context(), oldestState, oldest)
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, oldest string
		refused      bool
	}{
		{"adds only", "", false},
		{"takes away what older versions use", "99999", true},
		{"takes away what much older versions use", "2", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			newerSchema(t, dir, c.oldest)
			s, err := Open(t.Context(), Options{Dir: dir})
			if s != nil {
				defer s.Close()
			}
			if errors.Is(err, ErrNewer) != c.refused || !c.refused && err != nil {
				t.Errorf("error %v, want refused %v", err, c.refused)
			}
		})
	}
}
