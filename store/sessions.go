package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Session is a user logged in on one browser. Hash is the SHA-256 of the
// token that only the browser holds.
type Session struct {
	Hash []byte
	// Name and Role of the user.
	Name, Role    string
	Created, Seen lifecycle.Instant
}

// StartSession keeps a new session and drops those not seen since an instant.
func (s *Store) StartSession(ctx context.Context, hash []byte, name string, expired lifecycle.Instant) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		if _, err := t.exec(ctx, "delete from sessions where seen_at < ?", int64(expired)); err != nil {
			return err
		}
		now := s.nowMicros()
		if _, err := t.exec(ctx, "insert into sessions (hash, name, created_at, seen_at) values (?, ?, ?, ?)", hash, clean(name, maxText), now, now); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "update users set seen_at = ? where name = ?", now, clean(name, maxText)); err != nil {
			return err
		}
		return t.Audit(ctx, "user.login", "user:"+name, nil, nil)
	})
	if err != nil {
		return fmt.Errorf("store: start session: %w", err)
	}
	return nil
}

// Session gives a session by its hash, or ErrNotFound.
func (s *Store) Session(ctx context.Context, hash []byte) (Session, error) {
	var x Session
	rows, err := s.query(ctx, `select s.hash, u.name, u.role, s.created_at, s.seen_at from sessions s join users u on u.name = s.name where s.hash = ?`, hash)
	err = each(rows, err, func(rows *sql.Rows) error { return rows.Scan(&x.Hash, &x.Name, &x.Role, &x.Created, &x.Seen) })
	if err == nil && x.Hash == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Session{}, fmt.Errorf("store: session: %w", away(err))
	}
	return x, nil
}

// SeeSession moves a session's expiry on.
func (s *Store) SeeSession(ctx context.Context, hash []byte) error {
	err := s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "update sessions set seen_at = ? where hash = ?", s.nowMicros(), hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: see session: %w", err)
	}
	return nil
}

// EndSession logs a browser out; one that is not there is no error.
func (s *Store) EndSession(ctx context.Context, hash []byte) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from sessions where hash = ?", hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: end session: %w", err)
	}
	return nil
}
