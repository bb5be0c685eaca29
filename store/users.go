package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// User is somebody who may log in.
type User struct {
	Name string
	// Password is its hash, as whoever checks it makes it; empty while the user
	// has not set one.
	Password string
	Role     string
	Created  lifecycle.Instant
	// Seen is when the user last logged in; zero: never.
	Seen lifecycle.Instant
	// Subject names the user to the identity provider that the user comes from;
	// empty for one with a password.
	Subject string
	// InvitedUntil is when the user's link to set a password ends; zero: there
	// is none.
	InvitedUntil lifecycle.Instant
}

// ErrLastAdmin says that nobody would be left who may do everything.
var ErrLastAdmin = errors.New("the last admin who can log in")

// adminRole is the role of those of whom one must be left.
const adminRole = "admin"

const userColumns = "name, password, role, at, seen_at, invited_until, subject"

func scanUser(rows *sql.Rows, u *User) error {
	return rows.Scan(&u.Name, &u.Password, &u.Role, &u.Created, &u.Seen, &u.InvitedUntil, &u.Subject)
}

func (s *Store) userWhere(ctx context.Context, where string, args ...any) (User, error) {
	var u User
	found := false
	rows, err := s.query(ctx, "select "+userColumns+" from users where "+where, args...)
	err = each(rows, err, func(rows *sql.Rows) error { found = true; return scanUser(rows, &u) })
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return User{}, fmt.Errorf("store: user: %w", away(err))
	}
	return u, nil
}

// User gives a user by name, or ErrNotFound.
func (s *Store) User(ctx context.Context, name string) (User, error) {
	return s.userWhere(ctx, "name = ?", clean(name, maxText))
}

// Invited gives the user whose link to set a password has this hash and has not
// ended, or ErrNotFound.
func (s *Store) Invited(ctx context.Context, hash []byte) (User, error) {
	return s.userWhere(ctx, "invite = ? and invited_until > ?", hash, s.nowMicros())
}

// Users gives all users by name.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	var all []User
	rows, err := s.query(ctx, "select "+userColumns+" from users order by name")
	err = each(rows, err, func(rows *sql.Rows) error {
		var u User
		err := scanUser(rows, &u)
		all = append(all, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: users: %w", away(err))
	}
	return all, nil
}

// AddUser makes a user who must not exist yet (ErrExists): of two people who
// follow a link for the first password, one is first.
func (s *Store) AddUser(ctx context.Context, u User) error {
	return s.userChange(ctx, "add user", func(t *Tx) error {
		n, err := t.exec(ctx, "insert into users (name, password, role, at) values (?, ?, ?, ?) on conflict (name) do nothing",
			clean(u.Name, maxText), u.Password, u.Role, s.nowMicros())
		if err := orElse(n, err, ErrExists); err != nil {
			return err
		}
		return t.auditUser(ctx, "user.add", u.Name, "", u.Role)
	})
}

// auditUser writes down what became of a user; an empty role is none.
func (t *Tx) auditUser(ctx context.Context, action, name, was, is string) error {
	state := func(role string) any {
		if role == "" {
			return nil
		}
		return map[string]string{"role": role}
	}
	return t.Audit(ctx, action, "user:"+name, state(was), state(is))
}

func (t *Tx) roleOf(ctx context.Context, name string) (string, error) {
	role := ""
	err := t.one(ctx, "select role from users where name = ?", []any{clean(name, maxText)}, &role)
	return role, err
}

// ProviderUser makes the user whom an identity provider vouches for, or finds
// the one that it vouched for before, and sets the role. ErrExists when the
// name is that of a user with a password.
func (s *Store) ProviderUser(ctx context.Context, u User) (User, error) {
	have, err := s.userWhere(ctx, "subject = ? and subject <> ''", clean(u.Subject, maxText))
	switch {
	case errors.Is(err, ErrNotFound):
		err = s.userChange(ctx, "add user", func(t *Tx) error {
			n, err := t.exec(ctx, "insert into users (name, password, role, at, subject) values (?, '', ?, ?, ?) on conflict (name) do nothing",
				clean(u.Name, maxText), u.Role, s.nowMicros(), clean(u.Subject, maxText))
			if err := orElse(n, err, ErrExists); err != nil {
				return err
			}
			return t.auditUser(ctx, "user.add", u.Name, "", u.Role)
		})
		return u, err
	case err != nil || have.Role == u.Role:
		return have, err
	}
	was := have.Role
	have.Role = u.Role
	return have, s.userChange(ctx, "set role", func(t *Tx) error {
		if err := t.auditUser(ctx, "user.role", have.Name, was, u.Role); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "update users set role = ? where name = ?", u.Role, have.Name); err != nil {
			return err
		}
		return t.endSessions(ctx, have.Name)
	})
}

// Invite gives a user a link to set a password: its hash, and when it ends. A
// link from before opens nothing any more.
func (s *Store) Invite(ctx context.Context, name string, hash []byte, until lifecycle.Instant) error {
	return s.userChange(ctx, "invite", func(t *Tx) error {
		n, err := t.exec(ctx, "update users set invite = ?, invited_until = ? where name = ?", hash, int64(until), clean(name, maxText))
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		return t.auditUser(ctx, "user.link", name, "", "")
	})
}

// SetPassword changes a user's password hash, ends all of the user's sessions
// and uses up a link.
func (s *Store) SetPassword(ctx context.Context, name, password string) error {
	return s.userChange(ctx, "set password", func(t *Tx) error {
		n, err := t.exec(ctx, "update users set password = ?, invite = null, invited_until = 0 where name = ?", password, clean(name, maxText))
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		if err := t.auditUser(ctx, "user.password", name, "", ""); err != nil {
			return err
		}
		return t.endSessions(ctx, name)
	})
}

// SetRole changes what a user may do and ends the user's sessions, so that no
// page goes on with the rights from before. ErrLastAdmin when no admin would
// be left.
func (s *Store) SetRole(ctx context.Context, name, role string) error {
	return s.userChange(ctx, "set role", func(t *Tx) error {
		was, err := t.roleOf(ctx, name)
		if err != nil {
			return err
		}
		if err := t.auditUser(ctx, "user.role", name, was, role); err != nil {
			return err
		}
		n, err := t.exec(ctx, "update users set role = ? where name = ?", role, clean(name, maxText))
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		if err := t.adminLeft(ctx); err != nil {
			return err
		}
		return t.endSessions(ctx, name)
	})
}

// RemoveUser takes a user away with all sessions. ErrLastAdmin when no admin
// would be left.
func (s *Store) RemoveUser(ctx context.Context, name string) error {
	return s.userChange(ctx, "remove user", func(t *Tx) error {
		was, err := t.roleOf(ctx, name)
		if err != nil {
			return err
		}
		if err := t.auditUser(ctx, "user.remove", name, was, ""); err != nil {
			return err
		}
		n, err := t.exec(ctx, "delete from users where name = ?", clean(name, maxText))
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		if err := t.adminLeft(ctx); err != nil {
			return err
		}
		return t.endSessions(ctx, name)
	})
}

// userChange runs one change of users after the other, so that two admins
// cannot take the role from each other at the same moment.
func (s *Store) userChange(ctx context.Context, act string, fn func(*Tx) error) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		if err := t.setState(ctx, "users", act); err != nil {
			return err
		}
		return fn(t)
	})
	if err != nil {
		return fmt.Errorf("store: %s: %w", act, err)
	}
	return nil
}

func (t *Tx) adminLeft(ctx context.Context) error {
	var n int64
	if err := t.one(ctx, "select count(*) from users where role = ? and (password <> '' or subject <> '')", []any{adminRole}, &n); err != nil {
		return err
	}
	if n == 0 {
		return ErrLastAdmin
	}
	return nil
}

func (t *Tx) endSessions(ctx context.Context, name string) error {
	_, err := t.exec(ctx, "delete from sessions where name = ?", clean(name, maxText))
	return err
}
