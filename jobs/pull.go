package jobs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// WorkPull is the kind of long work that takes over the people whom a vendor
// holds.
const WorkPull = "pull"

// TypeListed is the type of the raw event that tells of somebody whom a vendor
// listed. Its body holds id, email, stage, segments and traits, as far as the
// vendor gave them.
const TypeListed = "person.listed"

// pullPatience is how often in a row a page is asked for again.
const pullPatience = 6

// Puller reads everybody whom a vendor holds, page by page. Each becomes a raw
// event; who is listed again as they were is known already, so a page may be
// read twice.
type Puller struct {
	Store    *store.Store
	Registry *Registry
	Limiter  *Limiter
	// Received is told of raw events after they are durable; nil: they are found
	// when somebody looks.
	Received func(connection string, needRecord bool)
	// Request is the time that one call may take; zero is 15 s.
	Request time.Duration
	Now     func() time.Time
}

// Pulled is what a pull came to.
type Pulled struct {
	People int64 `json:"people"` // listed
	New    int64 `json:"new"`    // raw events that were not there yet
}

// pullPlace is where a pull goes on.
type pullPlace struct {
	Cursor string
	Pulled
}

// Kind gives the long work of pulling; its subject is the connection.
func (p *Puller) Kind() WorkKind {
	return WorkKind{Name: WorkPull, Unit: "people", Run: func(ctx context.Context, t *Task) (any, error) {
		var at pullPlace
		t.Place(&at)
		for {
			end, err := p.page(ctx, t.Record().Subject, &at)
			if err != nil {
				return nil, err
			}
			if err := t.At(at.People, 0, at); err != nil || end {
				return at.Pulled, err
			}
		}
	}}
}

// page keeps one page; true at the end.
func (p *Puller) page(ctx context.Context, connection string, at *pullPlace) (bool, error) {
	conn, err := p.Registry.Find(ctx, connection)
	if err != nil {
		return false, err
	}
	lister, ok := conn.Open.(connectors.Lister)
	if !ok {
		return false, fmt.Errorf("jobs: pull %s: %w: %w", connection, ErrCannot, ErrPermanent)
	}
	listed, err := p.list(ctx, conn, lister, at.Cursor)
	if err != nil {
		return false, err
	}
	events := make([]connectors.RawEvent, len(listed.People))
	for i := range listed.People {
		if events[i], err = listedEvent(&listed.People[i]); err != nil {
			return false, err
		}
	}
	if len(events) > 0 {
		kept, err := p.Store.Append(connection, lifecycle.At(p.Now()), Keep(events, Origin{}))
		if err != nil {
			return false, err
		}
		at.New += int64(kept.New)
		if p.Received != nil && kept.New > 0 {
			p.Received(connection, false)
		}
	}
	at.People += int64(len(events))
	end := listed.Cursor == "" || listed.Cursor == at.Cursor
	at.Cursor = listed.Cursor
	return end, nil
}

// list asks for a page, within the vendor's rate, and again where it says that
// this may help.
func (p *Puller) list(ctx context.Context, conn *Conn, lister connectors.Lister, cursor string) (*connectors.Listed, error) {
	var limits connectors.Limits
	if d, ok := conn.Open.(connectors.Destination); ok {
		limits = d.Limits()
	}
	for try := int64(1); ; try++ {
		if err := p.Limiter.Wait(ctx, conn.ID, limits); err != nil {
			return nil, err
		}
		call, cancel := context.WithTimeout(ctx, 4*cmp.Or(p.Request, defaultRequest))
		listed, err := lister.List(call, cursor)
		cancel()
		if err == nil {
			return listed, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e := asPushError(err)
		switch {
		case !e.Retryable:
			return nil, fmt.Errorf("jobs: pull %s: %w: %w", conn.ID, err, ErrPermanent)
		case try >= pullPatience:
			return nil, fmt.Errorf("jobs: pull %s: %w", conn.ID, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(max(e.RetryAfter, backoff(try))):
		}
	}
}

// listedEvent makes the raw event of somebody. Its dedupe key is of what the
// vendor holds, so somebody who changed is told of again.
func listedEvent(who *connectors.Listing) (connectors.RawEvent, error) {
	body := map[string]any{}
	for name, value := range map[string]string{"id": who.VendorID, "email": who.Email, "stage": who.State.Stage} {
		if value != "" {
			body[name] = value
		}
	}
	if len(who.State.Segments) > 0 {
		body["segments"] = who.State.Segments
	}
	if len(who.State.Traits) > 0 {
		body["traits"] = who.State.Traits
	}
	text, err := json.Marshal(body)
	if err != nil {
		return connectors.RawEvent{}, fmt.Errorf("jobs: pull: somebody listed: %w", err)
	}
	return connectors.RawEvent{Type: TypeListed, Body: text, Dedupe: sha256.Sum256(append([]byte(TypeListed+"\x00"), text...))}, nil
}

// listedRules map what a vendor lists where a connection's own rules say
// nothing about it: the record's id and the address are one person's.
func listedRules(row store.Connection, scope string) (*mapping.Ruleset, error) {
	text := fmt.Sprintf("rules:\n  - name: listed at the vendor\n    type: %s\n    emit:\n      event: Contact:Updated\n      identity: { email: body.email, %s: body.id }\n", TypeListed, row.Connector)
	return mapping.Compile("listed", []byte(text), mapping.Options{Connection: row.ID, Connector: row.Connector, IdentityScope: scope})
}

// Pull takes over everybody whom a connection's vendor holds, as long work. One
// pull of a connection is under way at a time; asking again answers that one.
// Errors as those of Check.
func (a *Admin) Pull(ctx context.Context, id, author string) (store.Work, error) {
	c, err := a.opened(ctx, id)
	if err != nil {
		return store.Work{}, err
	}
	if _, ok := c.Open.(connectors.Lister); !ok {
		return store.Work{}, fmt.Errorf("jobs: pull %s: %w", id, ErrCannot)
	}
	if a.Works == nil {
		return store.Work{}, errors.New("jobs: pull: nobody does long work here")
	}
	one, _, err := a.Works.Start(ctx, WorkPull, id, nil, author, "")
	return one, err
}
