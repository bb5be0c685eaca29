package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// User is somebody who may log in.
type User struct {
	Name string
	// Password is its hash, as whoever checks it makes it.
	Password string
	Role     string
	Created  lifecycle.Instant
}

// User gives a user by name, or ErrNotFound.
func (s *Store) User(ctx context.Context, name string) (User, error) {
	var u User
	rows, err := s.query(ctx, "select name, password, role, at from users where name = ?", clean(name, maxText))
	if err == nil {
		err = scanOne(rows, &u.Name, &u.Password, &u.Role, &u.Created)
	}
	if err != nil {
		return User{}, fmt.Errorf("store: user: %w", away(err))
	}
	return u, nil
}

// AddUser makes a user who must not exist yet (ErrExists): of two people who
// follow a link for the first password, one is first.
func (s *Store) AddUser(ctx context.Context, u User) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		n, err := t.exec(ctx, "insert into users (name, password, role, at) values (?, ?, ?, ?) on conflict (name) do nothing",
			clean(u.Name, maxText), u.Password, u.Role, s.nowMicros())
		return orElse(n, err, ErrExists)
	})
	if err != nil {
		return fmt.Errorf("store: add user: %w", err)
	}
	return nil
}

// SetPassword changes a user's password hash and ends all of the user's
// sessions.
func (s *Store) SetPassword(ctx context.Context, name, password string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		n, err := t.exec(ctx, "update users set password = ? where name = ?", password, clean(name, maxText))
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		_, err = t.exec(ctx, "delete from sessions where name = ?", clean(name, maxText))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: set password: %w", err)
	}
	return nil
}

// Session is a user logged in on one browser. Hash is the SHA-256 of the
// token that only the browser holds.
type Session struct {
	Hash          []byte
	Name          string
	Created, Seen lifecycle.Instant
}

// StartSession keeps a new session and drops those not seen since an instant.
func (s *Store) StartSession(ctx context.Context, hash []byte, name string, expired lifecycle.Instant) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		if _, err := t.exec(ctx, "delete from sessions where seen_at < ?", int64(expired)); err != nil {
			return err
		}
		now := s.nowMicros()
		_, err := t.exec(ctx, "insert into sessions (hash, name, created_at, seen_at) values (?, ?, ?, ?)", hash, clean(name, maxText), now, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: start session: %w", err)
	}
	return nil
}

// Session gives a session by its hash, or ErrNotFound.
func (s *Store) Session(ctx context.Context, hash []byte) (Session, error) {
	var x Session
	rows, err := s.query(ctx, "select hash, name, created_at, seen_at from sessions where hash = ?", hash)
	err = each(rows, err, func(rows *sql.Rows) error { return rows.Scan(&x.Hash, &x.Name, &x.Created, &x.Seen) })
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
