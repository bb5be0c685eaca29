package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Author is who changes something, from where, in which request.
type Author struct {
	Name, Address, Request string
	// Agent is the browser, where there is one. It stands with sessions alone.
	Agent string
}

type authorKey struct{}

// WithAuthor says who is behind what is done under a context. It stands in the
// audit log beside every change.
func WithAuthor(ctx context.Context, a Author) context.Context {
	return context.WithValue(ctx, authorKey{}, a)
}

// AuthorOf gives who is behind a context; nobody's is the system's own.
func AuthorOf(ctx context.Context) Author {
	if a, ok := ctx.Value(authorKey{}).(Author); ok {
		return a
	}
	return Author{Name: "system"}
}

// AuditEntry is one change, as it was written down in the transaction that made it.
type AuditEntry struct {
	At lifecycle.Instant
	ID string
	Author
	// Action is what was done, for example connection.change; Subject to what,
	// for example connection:newsletter.
	Action, Subject string
	// Before and After are JSON objects; empty where there was or is nothing.
	// Secrets are in neither.
	Before, After string
}

// AuditFilter picks entries. Empty fields pick all.
type AuditFilter struct {
	Subject, Author, Action string
	// Before is the entry behind which the page begins; zero: the newest.
	Before AuditPlace
	Limit  int
}

// AuditPlace is a place in the log.
type AuditPlace struct {
	At lifecycle.Instant
	ID string
}

// maxAudit bounds what is kept of a state, in bytes.
const maxAudit = 1 << 20

// Audit writes a change down, in the transaction that makes it. before and
// after are what encodes to JSON objects, nil for nothing; they must hold no
// secret.
func (t *Tx) Audit(ctx context.Context, action, subject string, before, after any) error {
	texts := [2]string{}
	for i, v := range []any{before, after} {
		if v == nil {
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("store: audit: %w", err)
		}
		if texts[i] = string(b); len(b) > maxAudit {
			texts[i] = fmt.Sprintf(`{"bytes":%d}`, len(b))
		}
	}
	a := AuthorOf(ctx)
	_, err := t.exec(ctx, "insert into audit (at, id, author, address, request, action, subject, before, after) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		t.s.auditTime(), rand.Text(), clean(a.Name, maxText), clean(a.Address, maxText), clean(a.Request, maxText), action, clean(subject, maxText),
		clean(texts[0], maxAudit), clean(texts[1], maxAudit))
	return err
}

// auditTime gives a moment later than the one of the entry before, so that the
// log tells the order also within one moment.
func (s *Store) auditTime() int64 {
	for {
		last := s.audited.Load()
		now := max(s.nowMicros(), last+1)
		if s.audited.CompareAndSwap(last, now) {
			return now
		}
	}
}

// NoteAudit writes down something that no transaction of the store is behind.
func (s *Store) NoteAudit(ctx context.Context, action, subject string, before, after any) error {
	err := s.in(ctx, durable, func(t *Tx) error { return t.Audit(ctx, action, subject, before, after) })
	if err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

// AuditLog gives entries, newest first.
func (s *Store) AuditLog(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	q, args := "select at, id, author, address, request, action, subject, before, after from audit where 1 = 1", []any{}
	for _, part := range []struct{ column, value string }{{"subject", f.Subject}, {"author", f.Author}, {"action", f.Action}} {
		if part.value != "" {
			q += " and " + part.column + " = ?"
			args = append(args, clean(part.value, maxText))
		}
	}
	if f.Before.At != 0 {
		q += " and (at, id) < (?, ?)"
		args = append(args, int64(f.Before.At), clean(f.Before.ID, maxText))
	}
	var all []AuditEntry
	rows, err := s.query(ctx, q+" order by at desc, id desc limit ?", append(args, f.Limit)...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var e AuditEntry
		err := rows.Scan(&e.At, &e.ID, &e.Name, &e.Address, &e.Request, &e.Action, &e.Subject, &e.Before, &e.After)
		all = append(all, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: audit: %w", away(err))
	}
	return all, nil
}

// connectionState is what the audit log tells of a connection.
type connectionState struct {
	Connector string          `json:"connector"`
	Settings  json.RawMessage `json:"settings"`
	Push      json.RawMessage `json:"push"`
	Rules     int64           `json:"rules"`
	Paused    bool            `json:"paused"`
	// Secrets says whether they are those from before the change.
	Secrets string `json:"secrets,omitempty"`
}

func stateOf(c *Connection) *connectionState {
	return &connectionState{Connector: c.Connector, Settings: rawObject(c.Settings), Push: rawObject(c.Push), Rules: c.Rules, Paused: c.Paused}
}

func rawObject(text string) json.RawMessage {
	if !json.Valid([]byte(text)) {
		return json.RawMessage("{}")
	}
	return json.RawMessage(text)
}
