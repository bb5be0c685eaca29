package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Token opens the API. Its text is known to its holder alone; the store keeps a
// hash of it.
type Token struct {
	// ID is its name, which is the same for ever.
	ID   string
	Role string
	// Areas are the parts of the API that it opens; empty: all.
	Areas   []string
	Author  string
	Created lifecycle.Instant
	// Expires is when it ends; zero: never.
	Expires lifecycle.Instant
	// Seen is when it was last used, to the minute; zero: never.
	Seen lifecycle.Instant
}

const tokenColumns = "id, role, areas, author, created_at, expires_at, seen_at"

func (s *Store) tokens(ctx context.Context, where string, args ...any) ([]Token, error) {
	var all []Token
	rows, err := s.query(ctx, "select "+tokenColumns+" from tokens where "+where+" order by id", args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var x Token
		var areas string
		err := rows.Scan(&x.ID, &x.Role, &areas, &x.Author, &x.Created, &x.Expires, &x.Seen)
		x.Areas = strings.Fields(areas)
		all = append(all, x)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: tokens: %w", away(err))
	}
	return all, nil
}

// Tokens gives all tokens by id.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) { return s.tokens(ctx, "1 = 1") }

// TokenOf gives the token with a hash, expired or not, or ErrNotFound.
func (s *Store) TokenOf(ctx context.Context, hash []byte) (Token, error) {
	all, err := s.tokens(ctx, "hash = ?", hash)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("store: token: %w", ErrNotFound)
	}
	if err != nil {
		return Token{}, err
	}
	return all[0], nil
}

// AddToken keeps a token; ErrExists when there is one of that id.
func (s *Store) AddToken(ctx context.Context, x Token, hash []byte) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		n, err := t.exec(ctx, "insert into tokens (id, hash, role, areas, author, created_at, expires_at) values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
			clean(x.ID, maxText), hash, x.Role, strings.Join(x.Areas, " "), clean(x.Author, maxText), s.nowMicros(), int64(x.Expires))
		if err := orElse(n, err, ErrExists); err != nil {
			return err
		}
		return t.Audit(ctx, "token.add", "token:"+x.ID, nil, map[string]any{"role": x.Role, "areas": x.Areas, "expires": x.Expires})
	})
	if err != nil {
		return fmt.Errorf("store: add token: %w", err)
	}
	return nil
}

// SeeToken notes that a token was used.
func (s *Store) SeeToken(ctx context.Context, id string) error {
	err := s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "update tokens set seen_at = ? where id = ?", s.nowMicros(), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: see token: %w", err)
	}
	return nil
}

// RemoveToken ends a token, or ErrNotFound.
func (s *Store) RemoveToken(ctx context.Context, id string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		n, err := t.exec(ctx, "delete from tokens where id = ?", clean(id, maxText))
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		return t.Audit(ctx, "token.remove", "token:"+id, nil, nil)
	})
	if err != nil {
		return fmt.Errorf("store: remove token: %w", err)
	}
	return nil
}
