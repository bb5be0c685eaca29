package crisp

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// nickname is the one trait that goes into the person instead of the data.
const nickname = "nickname"

// Paths of a profile, which is named by its id or by the address.
func profilePath(key string) string { return "/people/profile/" + url.PathEscape(key) }
func dataPath(key string) string    { return "/people/data/" + url.PathEscape(key) }

// write brings one person to the desired state.
func (p *push) write(ctx context.Context, t *task) {
	if t.needsProfile() && !p.find(ctx, t) {
		return
	}
	err := p.send(ctx, t)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound && !t.Seen {
		// Known by an id that is gone: whoever has the address now is somebody
		// nothing is known of.
		t.ID, t.lost = "", true
		if !p.find(ctx, t) {
			return
		}
		err = p.send(ctx, t)
	}
	if err != nil {
		p.Fail(t, err)
	}
}

// needsProfile reports whether the profile has to be read first: for its id,
// or for its segments, which are written as a whole.
func (t *task) needsProfile() bool { return t.ID == "" || t.Segments() }

// find reads the profile by id, else by address, and makes it where there is
// none and a push may. It reports whether there is something left to send.
func (p *push) find(ctx context.Context, t *task) bool {
	for _, key := range []string{t.ID, t.Email} {
		if key == "" {
			continue
		}
		held, err := p.c.profile(ctx, key)
		switch {
		case err == nil:
			if t.lost {
				t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
			}
			t.ID, t.held, t.Seen = held.ID, held, true
			return true
		case connectors.ReasonOf(err) != connectors.ReasonNotFound:
			p.Fail(t, err)
			return false
		}
		t.lost = true
	}
	if !p.c.cfg.Push.Create || t.Email == "" {
		t.End(notThere())
		return false
	}
	t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
	return p.create(ctx, t)
}

// profile reads one profile by id or address.
func (c *Connector) profile(ctx context.Context, key string) (*profile, error) {
	var held profile
	if _, err := c.api.get(ctx, "read a profile", profilePath(key), &held); err != nil {
		return nil, err
	}
	if held.ID == "" {
		return nil, badAnswer("crisp: read a profile")
	}
	return &held, nil
}

// create makes the profile, with its segments at once; the data follows.
func (p *push) create(ctx context.Context, t *task) bool {
	segments, _ := p.c.segments(t, nil)
	local, _, _ := strings.Cut(t.Email, "@")
	w := profileWrite{Email: t.Email, Person: &person{Nickname: cmp.Or(connectors.ValueText(t.Traits[nickname]), local)}}
	if len(segments) > 0 {
		w.Segments = &segments
	}
	made, err := p.c.api.call(ctx, "make a profile", http.MethodPost, "/people/profile", w)
	var held profile
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonConflict:
		// Made by somebody else since it was looked for.
		there, err := p.c.profile(ctx, t.Email)
		if err != nil {
			p.Fail(t, err)
			return false
		}
		t.ID, t.held, t.Seen = there.ID, there, true
		return true
	case err != nil:
		p.Fail(t, err)
		return false
	case json.Unmarshal(made.data, &held) != nil || held.ID == "":
		p.Fail(t, badAnswer("crisp: make a profile"))
		return false
	}
	p.Arrival()
	t.ID, t.Seen, t.Add, t.Remove = held.ID, true, nil, nil
	t.Wrote = append(t.Wrote, connectors.Field{Record: t.ID, Name: writtenProfile, Value: normalEmail(t.Email)})
	delete(t.Traits, nickname)
	return true
}

// send writes what differs: the profile first, then its data.
func (p *push) send(ctx context.Context, t *task) error {
	if err := p.sendProfile(ctx, t); err != nil {
		return err
	}
	if err := p.sendData(ctx, t); err != nil {
		return err
	}
	t.Seen = true
	p.Arrival()
	return nil
}

func (p *push) sendProfile(ctx context.Context, t *task) error {
	w := profileWrite{}
	var taken []string
	if t.Segments() {
		var all []string
		if all, taken = p.c.segments(t, t.held.Segments); !sameSegments(all, t.held.Segments) {
			w.Segments = &all
		}
	}
	if name, ok := t.Traits[nickname]; ok && connectors.ValueText(name) != "" {
		w.Person = &person{Nickname: connectors.ValueText(name)}
	}
	if w.Segments == nil && w.Person == nil {
		return nil
	}
	if _, err := p.c.api.call(ctx, "write a profile", http.MethodPatch, profilePath(t.ID), w); err != nil {
		return err
	}
	t.Seen = true
	p.Arrival()
	if w.Person != nil {
		t.Wrote = append(t.Wrote, connectors.Field{Record: t.ID, Name: writtenPerson + nickname, Value: w.Person.Nickname})
	}
	if len(taken) == 0 {
		return nil
	}
	return p.readBack(ctx, t, taken)
}

// readBack looks whether segments that were taken off are gone: Crisp does not
// say whether a list that is written replaces or only adds.
func (p *push) readBack(ctx context.Context, t *task, taken []string) error {
	var now profile
	cached, err := p.c.api.get(ctx, "read a profile back", profilePath(t.ID), &now)
	if err != nil {
		return err
	}
	left := slices.ContainsFunc(now.Segments, func(s string) bool { return hasSegment(taken, s) })
	switch {
	case left && cached:
		t.unproved = true
	case left:
		t.End(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonConflict, Message: "Crisp kept a segment that was taken off"})
	}
	return nil
}

// sendData writes the stage and the traits. The first write of a connection is
// read back, since a body in the wrong form is answered well too.
func (p *push) sendData(ctx context.Context, t *task) error {
	data := map[string]any{}
	if t.Stage != "" {
		data[p.c.stageKey] = t.Stage
	}
	for _, name := range slices.Sorted(maps.Keys(t.Traits)) {
		if name != nickname {
			data[name] = dataValue(t.Traits[name])
		}
	}
	if len(data) == 0 {
		return nil
	}
	var body any = dataWrite{data}
	if p.c.api.bare {
		body = data
	}
	if _, err := p.c.api.call(ctx, "write custom data", http.MethodPatch, dataPath(t.ID), body); err != nil {
		return err
	}
	if t.Stage == "" || p.c.api.proved.Load() {
		return nil
	}
	held, cached, err := p.c.data(ctx, t.ID)
	switch {
	case err != nil:
		return err
	case held[p.c.stageKey] == t.Stage:
		p.c.api.proved.Store(true)
	case cached:
		t.unproved = true
	default:
		t.End(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
			Message: "Crisp took the custom data but does not hold it; try the other choice of data_body",
		})
	}
	return nil
}

// data reads a profile's custom data. A profile that never had any is answered
// with none or with 404.
func (c *Connector) data(ctx context.Context, key string) (held map[string]any, cached bool, err error) {
	cached, err = c.api.get(ctx, "read custom data", dataPath(key), &held)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil, false, nil
	}
	if inner, wrapped := held["data"].(map[string]any); wrapped {
		held = inner
	}
	return held, cached, err
}

// segments gives the list that a profile should have, with those there that
// are not of the managed set, and the names that are taken off.
func (c *Connector) segments(t *task, there []string) (all, taken []string) {
	var off []string
	for _, s := range t.Remove {
		off = append(off, c.prefix+s)
	}
	all = []string{}
	for _, s := range there {
		if hasSegment(off, s) {
			taken = append(taken, s)
		} else {
			all = append(all, s)
		}
	}
	for _, s := range t.Add {
		if !hasSegment(all, c.prefix+s) {
			all = append(all, c.prefix+s)
		}
	}
	return all, taken
}

func hasSegment(all []string, name string) bool {
	return slices.ContainsFunc(all, func(one string) bool { return strings.EqualFold(one, name) })
}

func sameSegments(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s string) bool { return !hasSegment(b, s) })
}

// dataValue puts a trait into what custom data takes: a text, a number or a
// boolean. "" clears a key.
func dataValue(value any) any {
	switch value.(type) {
	case bool, int64, float64, json.Number:
		return value
	}
	return connectors.ValueText(value)
}
