package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Connection is a connection's configuration as it is kept.
type Connection struct {
	ID, Connector string
	// Settings, Push: JSON objects. Secrets: encrypted by whoever stores them.
	Settings string
	Secrets  []byte
	Push     string
	// Rules is the version of the mapping rules in force; zero: the connector's
	// defaults.
	Rules  int64
	Paused bool
	// Version grows with every change; see SaveConnection.
	Version          int64
	Created, Updated lifecycle.Instant
	// Applied is the text last applied from a workspace file.
	Applied string
}

// Versioned is a published text: mapping rules of a connection, or a plan.
type Versioned struct {
	Connection string // empty for a plan
	Version    int64
	Source     string
	Author     string
	Note       string
	Created    lifecycle.Instant
}

// ConfigVersion grows with every change to connections, rules or plan.
// Processing reads it in its own transaction and reloads what changed.
func (s *Store) ConfigVersion(ctx context.Context) (int64, error) {
	v, err := stateInt(ctx, s, "config_version")
	if err != nil {
		return 0, fmt.Errorf("store: config version: %w", away(err))
	}
	return v, nil
}

// ConfigVersionTx is ConfigVersion inside a transaction.
func (t *Tx) ConfigVersionTx(ctx context.Context) (int64, error) {
	return stateInt(ctx, t, "config_version")
}

func stateInt(ctx context.Context, q querier, name string) (int64, error) {
	var text string
	rows, err := q.query(ctx, "select value from state where name = ?", name)
	if err == nil {
		err = scanOne(rows, &text)
	}
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// bumpConfig must run first in every transaction that changes configuration:
// the row is the lock under which replicas publish one after the other.
func (t *Tx) bumpConfig(ctx context.Context) error {
	_, err := t.exec(ctx, `insert into state (name, value) values ('config_version', '1')
		on conflict (name) do update set value = cast(cast(state.value as bigint) + 1 as text)`)
	return err
}

// Instance is this installation's own id, made once, which marks its writes at
// vendors.
func (s *Store) Instance(ctx context.Context) (string, error) {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fmt.Errorf("store: instance: %w", err)
	}
	return s.Setting(ctx, "instance", hex.EncodeToString(raw[:]))
}

// Setting reads a named text of the workspace; the first caller's initial
// value becomes it.
func (s *Store) Setting(ctx context.Context, name, initial string) (string, error) {
	var value string
	err := s.in(ctx, durable, func(t *Tx) error {
		if _, err := t.exec(ctx, "insert into state (name, value) values (?, ?) on conflict (name) do nothing", name, initial); err != nil {
			return err
		}
		return t.one(ctx, "select value from state where name = ?", []any{name}, &value)
	})
	if err != nil {
		return "", fmt.Errorf("store: setting %s: %w", name, err)
	}
	return value, nil
}

const connectionColumns = "id, connector, settings, secrets, push, rules, paused, version, created_at, updated_at, applied"

// Connections lists all, by id.
func (s *Store) Connections(ctx context.Context) ([]Connection, error) {
	all, err := connections(ctx, s, "1 = 1")
	if err != nil {
		return nil, fmt.Errorf("store: connections: %w", away(err))
	}
	return all, nil
}

func connections(ctx context.Context, q querier, where string, args ...any) ([]Connection, error) {
	var all []Connection
	rows, err := q.query(ctx, "select "+connectionColumns+" from connections where "+where+" order by id", args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var c Connection
		var paused int64
		err := rows.Scan(&c.ID, &c.Connector, &c.Settings, &c.Secrets, &c.Push, &c.Rules, &paused, &c.Version, &c.Created, &c.Updated, &c.Applied)
		c.Paused = paused != 0
		all = append(all, c)
		return err
	})
	return all, err
}

// auditConnection writes down what became of a connection; after is nil when
// it is removed. The row is still what it was.
func (t *Tx) auditConnection(ctx context.Context, id string, after *Connection) error {
	rows, err := connections(ctx, t, "id = ?", id)
	if err != nil {
		return err
	}
	var was, is any
	action := "connection.create"
	if len(rows) > 0 {
		action, was = "connection.change", stateOf(&rows[0])
	}
	if after == nil {
		action = "connection.remove"
	} else {
		state := stateOf(after)
		if len(rows) > 0 {
			if state.Secrets = "changed"; bytes.Equal(rows[0].Secrets, after.Secrets) {
				state.Secrets = "the same"
			}
		}
		is = state
	}
	return t.Audit(ctx, action, "connection:"+id, was, is)
}

// SaveConnection writes a connection. With Version zero it must not exist yet
// (ErrExists); else it must still have that version (ErrStale). Rules, when
// not nil, are published with it in the same transaction.
func (s *Store) SaveConnection(ctx context.Context, c Connection, rules *Versioned) (Connection, error) {
	now := s.nowMicros()
	err := s.in(ctx, durable, func(t *Tx) error {
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		if rules != nil {
			v, err := t.addRules(ctx, c.ID, rules)
			if err != nil {
				return err
			}
			c.Rules = v
		}
		if err := t.auditConnection(ctx, c.ID, &c); err != nil {
			return err
		}
		if c.Version == 0 {
			c.Version, c.Created, c.Updated = 1, lifecycle.Instant(now), lifecycle.Instant(now)
			n, err := t.exec(ctx, "insert into connections ("+connectionColumns+") values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
				c.ID, c.Connector, c.Settings, c.Secrets, c.Push, c.Rules, bit(c.Paused), c.Version, int64(c.Created), int64(c.Updated), c.Applied)
			return orElse(n, err, ErrExists)
		}
		n, err := t.exec(ctx, `update connections set connector = ?, settings = ?, secrets = ?, push = ?, rules = ?, paused = ?,
			version = version + 1, updated_at = ?, applied = ? where id = ? and version = ?`,
			c.Connector, c.Settings, c.Secrets, c.Push, c.Rules, bit(c.Paused), now, c.Applied, c.ID, c.Version)
		c.Version++
		c.Updated = lifecycle.Instant(now)
		return orElse(n, err, ErrStale)
	})
	if err != nil {
		return c, fmt.Errorf("store: connection %s: %w", c.ID, err)
	}
	return c, nil
}

func orElse(n int64, err, none error) error {
	if err == nil && n == 0 {
		return none
	}
	return err
}

// DeleteConnection removes a connection and what waits for it. Its raw events,
// and what they told of people, stay.
func (s *Store) DeleteConnection(ctx context.Context, id string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		if err := t.auditConnection(ctx, id, nil); err != nil {
			return err
		}
		n, err := t.exec(ctx, "delete from connections where id = ?", id)
		if err := orElse(n, err, ErrNotFound); err != nil {
			return err
		}
		for _, table := range []string{"sync", "account_sync", "managed_segments", "written_fields", "ledger"} {
			if _, err := t.exec(ctx, "delete from "+table+" where connection = ?", id); err != nil {
				return err
			}
		}
		if _, err := t.exec(ctx, "delete from managed_segments where connection = ?", AccountsOf(id)); err != nil {
			return err
		}
		_, err = t.exec(ctx, "delete from state where name = ?", cursorNote+id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: connection %s: %w", id, err)
	}
	return nil
}
