package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Session is a user logged in on one browser. Hash is the SHA-256 of the
// token that only the browser holds.
type Session struct {
	Hash []byte
	// ID names the session to people; it opens nothing.
	ID string
	// Name and Role of the user.
	Name, Role string
	// Address and Agent are whence the user logged in, and with which browser.
	Address, Agent string
	Created, Seen  lifecycle.Instant
	// Turned is when the session got its token.
	Turned lifecycle.Instant
}

const sessionColumns = "s.hash, s.id, u.name, u.role, s.address, s.agent, s.created_at, s.seen_at, s.turned_at"

// sessions gives those that a condition picks, of users who are still there.
func (s *Store) sessions(ctx context.Context, where string, args ...any) ([]Session, error) {
	var all []Session
	rows, err := s.query(ctx, "select "+sessionColumns+" from sessions s join users u on u.name = s.name where "+where, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var x Session
		err := rows.Scan(&x.Hash, &x.ID, &x.Name, &x.Role, &x.Address, &x.Agent, &x.Created, &x.Seen, &x.Turned)
		all = append(all, x)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: sessions: %w", away(err))
	}
	return all, nil
}

// StartSession keeps a new session, with the address and browser of the
// context's author, and drops those not seen since an instant.
func (s *Store) StartSession(ctx context.Context, hash []byte, name string, expired lifecycle.Instant) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		if _, err := t.exec(ctx, "delete from sessions where seen_at < ?", int64(expired)); err != nil {
			return err
		}
		now, a := s.nowMicros(), AuthorOf(ctx)
		if _, err := t.exec(ctx, "insert into sessions (hash, id, name, address, agent, created_at, seen_at, turned_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
			hash, rand.Text(), clean(name, maxText), clean(a.Address, maxText), clean(a.Agent, maxText), now, now, now); err != nil {
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

// Session gives a session by the hash of its token, or of the token before as
// long as that goes on, or ErrNotFound.
func (s *Store) Session(ctx context.Context, hash []byte) (Session, error) {
	all, err := s.sessions(ctx, "s.hash = ? or (s.previous = ? and s.previous_until > ?)", hash, hash, s.nowMicros())
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("store: session: %w", ErrNotFound)
	}
	if err != nil {
		return Session{}, err
	}
	return all[0], nil
}

// SessionsOf gives the sessions of a user that were seen since an instant, the
// newest first.
func (s *Store) SessionsOf(ctx context.Context, name string, since lifecycle.Instant) ([]Session, error) {
	return s.sessions(ctx, "s.name = ? and s.seen_at >= ? order by s.created_at desc, s.id", clean(name, maxText), int64(since))
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

// TurnSession gives a session another token; the one so far goes on until an
// instant. It answers false when another request was faster.
func (s *Store) TurnSession(ctx context.Context, was, now []byte, until lifecycle.Instant) (bool, error) {
	var n int64
	err := s.in(ctx, derived, func(t *Tx) error {
		at := s.nowMicros()
		var err error
		n, err = t.exec(ctx, "update sessions set hash = ?, previous = ?, previous_until = ?, turned_at = ?, seen_at = ? where hash = ?", now, was, int64(until), at, at, was)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: turn session: %w", err)
	}
	return n > 0, nil
}

// EndSession logs a browser out, by the hash of its token or of the one before;
// one that is not there is no error.
func (s *Store) EndSession(ctx context.Context, hash []byte) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		var name string
		err := t.one(ctx, "select name from sessions where hash = ? or previous = ?", []any{hash, hash}, &name)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "delete from sessions where hash = ? or previous = ?", hash, hash); err != nil {
			return err
		}
		return t.Audit(ctx, "user.logout", "user:"+name, nil, nil)
	})
	if err != nil {
		return fmt.Errorf("store: end session: %w", err)
	}
	return nil
}

// EndSessionsOf ends the sessions of a user and counts them: the one with an
// id, or all when it is empty, but never the one with the id keep.
func (s *Store) EndSessionsOf(ctx context.Context, name, id, keep string) (int64, error) {
	var n int64
	err := s.in(ctx, durable, func(t *Tx) error {
		var err error
		n, err = t.exec(ctx, "delete from sessions where name = ? and (id = ? or ? = '') and id <> ?", clean(name, maxText), clean(id, maxText), clean(id, maxText), clean(keep, maxText))
		if err != nil || n == 0 {
			return err
		}
		return t.Audit(ctx, "user.logout", "user:"+name, map[string]int64{"sessions": n}, nil)
	})
	if err != nil {
		return 0, fmt.Errorf("store: end sessions: %w", err)
	}
	return n, nil
}
