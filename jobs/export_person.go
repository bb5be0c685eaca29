package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// ExportPerson writes all that is held about a person as one JSON object: the
// profile, every event, every raw event that led to one or names the person,
// with bytes, headers and the vendor's record, and what every other table has
// about them: keys, moves, segments, pushes, account, decisions, conflicts and
// requests for erasure. Raw events are written one after the other, so that
// the whole is never in memory. The error is store.ErrNotFound for nobody.
func (a *Admin) ExportPerson(ctx context.Context, id lifecycle.ProfileID, w io.Writer) error {
	p, err := a.Registry.o.Store.Person(ctx, id)
	if err != nil {
		return err
	}
	x := personExport{admin: a, out: &sections{w: w}, person: p, keys: parseKeys(p.Keys)}
	if err := x.write(ctx); err != nil {
		return fmt.Errorf("jobs: export person %d: %w", p.ID, err)
	}
	return nil
}

type personExport struct {
	admin  *Admin
	out    *sections
	person *store.Person
	keys   []lifecycle.Key
	rows   []int64 // raw events that led to events
}

func (x *personExport) write(ctx context.Context) error {
	if err := x.profile(); err != nil {
		return err
	}
	if err := x.events(ctx); err != nil {
		return err
	}
	if err := x.tables(ctx); err != nil {
		return err
	}
	if err := x.raw(ctx); err != nil {
		return err
	}
	return x.out.end()
}

func (x *personExport) profile() error {
	prof, err := lifecycle.DecodeProfile(x.person.State)
	if err != nil {
		return err
	}
	facts := []any{}
	for f := range prof.Facts() {
		facts = append(facts, f)
	}
	return x.out.section("profile", map[string]any{
		"id": x.person.ID, "keys": x.person.Keys, "stage": prof.Stage, "stage_since": prof.Since, "segments": prof.Segments, "traits": prof.Values(),
		"first_seen": prof.FirstSeen, "last_seen": prof.LastSeen, "source": prof.Source, "facts": facts,
		"exported_at": x.admin.Registry.o.Now().UTC().Format(time.RFC3339), "times": "UTC microseconds since 1970, where they are numbers",
	})
}

func (x *personExport) events(ctx context.Context) error {
	all, err := x.admin.Registry.o.Store.PeopleByID(ctx, []lifecycle.ProfileID{x.person.ID})
	if err != nil || len(all) == 0 {
		return err
	}
	for i := range all[0].Events {
		e := &all[0].Events[i]
		keys := make([]string, len(e.Identity))
		for i, k := range e.Identity {
			keys[i] = k.String()
		}
		if e.Inbox > 0 {
			x.rows = append(x.rows, e.Inbox)
		}
		if err := x.out.item("events", map[string]any{"id": e.ID.String(), "event": e.Name, "at": e.At, "connection": e.Connection, "raw_event": e.Inbox, "keys": keys,
			"business_key": e.BusinessKey, "traits": e.Traits, "properties": e.Properties, "value": e.Value, "claim": e.Claim}); err != nil {
			return err
		}
	}
	slices.Sort(x.rows)
	x.rows = slices.Compact(x.rows)
	return nil
}

func (x *personExport) tables(ctx context.Context) error {
	s := x.admin.Registry.o.Store
	merged, err := s.MergedIDs(ctx, x.person.ID)
	if err != nil {
		return err
	}
	return s.EachAbout(ctx, append(merged, x.person.ID), x.person.Keys, func(table string, row map[string]any) error { return x.out.item(table, row) })
}

// raw writes the raw events of the person's events, and those that name the
// person without having led to one, found as an erasure finds them.
func (x *personExport) raw(ctx context.Context) error {
	s := x.admin.Registry.o.Store
	person := mentionsOf(x.keys)
	for after := int64(0); ; {
		ids := []int64{}
		last, err := s.RawTexts(ctx, after, searchPage, func(raw *store.RawText) {
			if _, own := slices.BinarySearch(x.rows, raw.ID); own || slices.ContainsFunc(raw.Texts[:], func(text []byte) bool { return person.in(text, raw.Connection) }) {
				ids = append(ids, raw.ID)
			}
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := x.rawEvent(ctx, id); err != nil {
				return err
			}
		}
		if last == 0 {
			return nil
		}
		after = last
	}
}

func (x *personExport) rawEvent(ctx context.Context, id int64) error {
	r, err := x.admin.Registry.o.Store.RawEvent(ctx, id)
	if err != nil {
		return err
	}
	return x.out.item("raw_events", map[string]any{"id": r.ID, "connection": r.Connection, "type": r.Type, "received_at": r.Received, "at": r.At, "status": r.Status,
		"step": r.Outcome.Step, "reason": r.Outcome.Reason, "detail": r.Outcome.Detail, "rule": r.Outcome.Rule,
		"kept_beside": asJSON([]byte(r.Meta)), "body": asJSON(r.Body), "record": asJSON(r.Record)})
}

// asJSON gives bytes as what they are: JSON, a text, or base64.
func asJSON(b []byte) any {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b):
		return json.RawMessage(b)
	case utf8.Valid(b):
		return string(b)
	}
	return b
}

// sections writes a JSON object of sections, each a value or a list that grows.
type sections struct {
	w    io.Writer
	list string // the list that is open
	any  bool
}

func (s *sections) section(name string, v any) error {
	if err := s.begin(name); err != nil {
		return err
	}
	return s.value(v)
}

// item adds to a list; items of one list come one after the other.
func (s *sections) item(list string, v any) error {
	if s.list == list {
		if _, err := io.WriteString(s.w, ",\n"); err != nil {
			return err
		}
		return s.value(v)
	}
	if err := s.begin(list); err != nil {
		return err
	}
	s.list = list
	if _, err := io.WriteString(s.w, "[\n"); err != nil {
		return err
	}
	return s.value(v)
}

func (s *sections) begin(name string) error {
	text := "{"
	switch {
	case s.list != "":
		text = "],"
	case s.any:
		text = ","
	}
	s.any, s.list = true, ""
	_, err := fmt.Fprintf(s.w, "%s\n%q: ", text, name)
	return err
}

func (s *sections) value(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = s.w.Write(b)
	}
	return err
}

func (s *sections) end() error {
	text := "\n}\n"
	if s.list != "" {
		text = "]" + text
	}
	_, err := io.WriteString(s.w, text)
	return err
}
