package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// EachState reads the encoded profiles of people by id, behind one and up to
// another, in order. Those merged into others are left out. It locks nothing.
// The bytes are fn's during the call only.
func (s *Store) EachState(ctx context.Context, after, last lifecycle.ProfileID, fn func(id lifecycle.ProfileID, state []byte) error) error {
	rows, err := s.query(ctx, "select id, state from profiles where id > ? and id <= ? and merged = 0 and state is not null order by id", int64(after), int64(last))
	var id int64
	var state sql.RawBytes
	err = each(rows, err, func(rows *sql.Rows) error {
		if err := rows.Scan(&id, &state); err != nil {
			return err
		}
		return fn(lifecycle.ProfileID(id), state)
	})
	return wrapScan(err)
}

// StatesOf reads the encoded profiles of people by id. Those who are not there,
// or were merged into others, are missing.
func (s *Store) StatesOf(ctx context.Context, people []lifecycle.ProfileID) (map[lifecycle.ProfileID][]byte, error) {
	all := make(map[lifecycle.ProfileID][]byte, len(people))
	rows, err := s.query(ctx, "select id, state from profiles where merged = 0 and state is not null and "+s.d.oneOf("id", "bigint"), list(s.d, people))
	err = each(rows, err, func(rows *sql.Rows) error {
		var id int64
		var state []byte
		err := rows.Scan(&id, &state)
		all[lifecycle.ProfileID(id)] = state
		return err
	})
	return all, wrapScan(err)
}

// sparse is how many people of a range are asked for singly: below one in so
// many, reading the others' events as well would cost more.
const sparse = 3

// EachHistory reads the events of people, whose ids are sorted, and calls fn
// for each who has some, with all of theirs in (time, id) order: first in order
// of id those whose events stand together, then the others. Properties are left
// out but for decisions: nothing else that derives a person reads them. The
// slice is fn's during the call only.
func (s *Store) EachHistory(ctx context.Context, people []lifecycle.ProfileID, fn func(lifecycle.ProfileID, []lifecycle.Event) error) error {
	elsewhere, err := homesOf(ctx, s, s.d, people)
	if err != nil {
		return wrapScan(err)
	}
	if len(elsewhere) == 0 {
		return wrapScan(s.eachTogether(ctx, people, fn))
	}
	owners := map[lifecycle.ProfileID]bool{}
	for _, owner := range elsewhere {
		owners[owner] = true
	}
	together := slices.DeleteFunc(slices.Clone(people), func(id lifecycle.ProfileID) bool { return owners[id] })
	if err := s.eachTogether(ctx, together, fn); err != nil {
		return wrapScan(err)
	}
	// Each has a past so long that a statement of their own adds nothing to it.
	for _, owner := range slices.Sorted(maps.Keys(owners)) {
		var events []lifecycle.Event
		gather := func(_ lifecycle.ProfileID, some []lifecycle.Event) error {
			events = append(events, some...)
			return nil
		}
		if err := s.eachTogether(ctx, slices.Sorted(slices.Values(append(elsewhere.of(owner), owner))), gather); err != nil {
			return wrapScan(err)
		}
		inOrder(events)
		if err := fn(owner, events); err != nil {
			return wrapScan(err)
		}
	}
	return nil
}

// eachTogether is EachHistory for what stands under numbers.
func (s *Store) eachTogether(ctx context.Context, people []lifecycle.ProfileID, fn func(lifecycle.ProfileID, []lifecycle.Event) error) error {
	if len(people) == 0 {
		return nil
	}
	first, last := people[0], people[len(people)-1]
	where, args := s.d.oneOf("person", "bigint"), []any{list(s.d, people)}
	if int64(last-first) < sparse*int64(len(people)) {
		where, args = "person between ? and ?", []any{int64(first), int64(last)}
	}
	rows, err := s.query(ctx, "select "+eventColumns+" from events where "+where+" order by person, at, id", args...)
	h := histories{people: people, fn: fn, texts: map[string]string{}, lean: true}
	if err := each(rows, err, h.row); err != nil {
		return err
	}
	return h.flush()
}

// histories gathers the events of one person after the other.
type histories struct {
	people []lifecycle.ProfileID // still to come
	fn     func(lifecycle.ProfileID, []lifecycle.Event) error
	events []lifecycle.Event
	texts  map[string]string // names, of which there are few
	lean   bool              // properties are read of decisions only

	person, at, inbox          int64
	id, name, connection, data sql.RawBytes
}

func (h *histories) row(rows *sql.Rows) error {
	if err := rows.Scan(&h.person, &h.at, &h.id, &h.name, &h.connection, &h.inbox, &h.data); err != nil {
		return err
	}
	person := lifecycle.ProfileID(h.person)
	for len(h.people) > 0 && h.people[0] < person {
		if err := h.flush(); err != nil {
			return err
		}
		h.people = h.people[1:]
	}
	if len(h.people) == 0 || h.people[0] != person {
		return nil // not asked for
	}
	h.events = append(h.events, lifecycle.Event{
		ID: lifecycle.EventID(h.id), At: lifecycle.Instant(h.at), Name: lifecycle.EventName(h.text(h.name)), Connection: h.text(h.connection), Inbox: h.inbox,
	})
	e := &h.events[len(h.events)-1]
	r := eventReader{text: string(h.data), lean: h.lean && !e.IsDecision()}
	if r.event(e) {
		return nil
	}
	if err := decodeEvent(h.data, e); err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	return nil
}

// text gives one text for all that are equal.
func (h *histories) text(b []byte) string {
	if t, ok := h.texts[string(b)]; ok {
		return t
	}
	t := string(b)
	if len(h.texts) < 10_000 {
		h.texts[t] = t
	}
	return t
}

// flush hands over what was gathered for the person at the head.
func (h *histories) flush() error {
	if len(h.events) == 0 {
		return nil
	}
	err := h.fn(h.people[0], h.events)
	clear(h.events)
	h.events = h.events[:0]
	return err
}
