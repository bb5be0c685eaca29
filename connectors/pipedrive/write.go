package pipedrive

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// prepare makes sure of every field and option that the tasks write. The error
// means that nothing was sent.
func (p *push) prepare(ctx context.Context, tasks ...*task) error {
	stage := wish{name: p.c.stageField, kind: "enum"}
	segments := wish{name: p.c.segmentsField, kind: "set"}
	traits := map[string]bool{}
	removing := false
	for _, t := range tasks {
		if t.Stage != "" && !slices.Contains(stage.labels, t.Stage) {
			stage.labels = append(stage.labels, t.Stage)
		}
		for _, s := range t.Add {
			if !slices.Contains(segments.labels, s) {
				segments.labels = append(segments.labels, s)
			}
		}
		removing = removing || len(t.Remove) > 0
		for name := range t.Traits {
			traits[name] = traits[name] || name != "name"
		}
	}
	var wishes []wish
	if len(stage.labels) > 0 {
		wishes = append(wishes, stage)
	}
	switch {
	case len(segments.labels) > 0:
		wishes = append(wishes, segments)
	case removing:
		// To be taken off, neither field nor option need be there.
		wishes = append(wishes, wish{name: p.c.segmentsField})
	}
	for _, name := range slices.Sorted(maps.Keys(traits)) {
		if traits[name] {
			wishes = append(wishes, wish{name: name})
		}
	}
	if len(wishes) == 0 {
		return nil
	}
	return p.c.schema.ensure(ctx, wishes)
}

// find looks up whom we know by address only.
func (p *push) find(ctx context.Context, t *task) {
	if t.ID != "" {
		return
	}
	ids, err := p.c.search(ctx, t.Email)
	if err != nil {
		p.Fail(t, err)
		return
	}
	if len(ids) > 0 {
		t.ID, t.Seen = ids[0], true
	}
}

// readSegments reads the persons whose segments change, in one call, since a
// multiple-option field is replaced as a whole.
func (p *push) readSegments(ctx context.Context, tasks []*task) {
	f := p.c.schema.field(p.c.segmentsField)
	if f == nil || p.Stopped() != nil {
		return
	}
	byID := map[string][]*task{}
	for _, t := range tasks {
		if t.Segments() && t.ID != "" {
			byID[t.ID] = append(byID[t.ID], t)
		}
	}
	people, err := p.c.people(ctx, slices.Collect(maps.Keys(byID)), []string{f.Code})
	for id, all := range byID {
		for _, t := range all {
			if err != nil {
				p.Fail(t, err)
			}
			t.held = people[id]
		}
	}
}

// write brings one person to the desired state.
func (p *push) write(ctx context.Context, t *task) {
	if t.ID == "" {
		if t.Update.Known != nil && p.c.cfg.Push.Create && !p.wholly(ctx, t) {
			return
		}
		p.create(ctx, t)
		return
	}
	var err error
	if f := p.c.schema.field(p.c.segmentsField); f != nil && t.Segments() && t.held == nil {
		err = &connectors.PushError{Act: "pipedrive: read persons", Reason: connectors.ReasonNotFound}
	} else {
		err = p.patch(ctx, t)
	}
	switch {
	case err == nil:
	case gone(err):
		p.again(ctx, t, err)
	default:
		p.Fail(t, err)
	}
}

// again looks for a person whose record was deleted or merged into another
// one. Nothing is known of a record found so, hence everything is sent.
func (p *push) again(ctx context.Context, t *task, was error) {
	lost := t.ID
	t.ID, t.held = "", nil
	if t.Email != "" {
		p.find(ctx, t)
	}
	switch {
	case t.Done():
		return
	case t.ID == lost:
		// Found by address, and yet not there: the search lags behind.
		e := *connectors.AsPushError(was)
		e.Retryable = true
		p.Fail(t, &e)
		return
	case !p.wholly(ctx, t):
		return
	}
	if t.ID == "" {
		p.create(ctx, t)
		return
	}
	p.readSegments(ctx, []*task{t})
	if t.Done() {
		return
	}
	if err := p.patch(ctx, t); err != nil {
		p.Fail(t, err)
	}
}

// wholly makes a task send everything, since nothing is known of the record it
// has come to write. It reports whether that can be done.
func (p *push) wholly(ctx context.Context, t *task) bool {
	t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
	if err := p.prepare(ctx, t); err != nil {
		p.Fail(t, err)
	}
	return !t.Done()
}

// create makes a person, where a push may. It has an address, no labels and no
// marketing status.
func (p *push) create(ctx context.Context, t *task) {
	if !p.c.cfg.Push.Create || t.Email == "" {
		t.End(notThere())
		return
	}
	w, ok := p.body(t)
	if !ok {
		return
	}
	w.Name = cmp.Or(w.Name, t.Email)
	w.Emails = []address{{Value: t.Email, Primary: true, Label: "work"}}
	if err := p.send(ctx, t, "create a person", http.MethodPost, v2+"/persons", w); err != nil {
		p.Fail(t, err)
	}
}

// patch writes what differs; where that is nothing, no call is made.
func (p *push) patch(ctx context.Context, t *task) error {
	w, ok := p.body(t)
	if !ok {
		return nil
	}
	if w.Name == "" && len(w.Custom) == 0 {
		t.Seen = t.held != nil || t.Seen
		p.Arrival()
		return nil
	}
	return p.send(ctx, t, "write a person", http.MethodPatch, v2+"/persons/"+t.ID, w)
}

// body builds what is sent; false where the task ended over it.
func (p *push) body(t *task) (personWrite, bool) {
	w := personWrite{Custom: map[string]any{}}
	refuse := func(reason connectors.Reason, words string) (personWrite, bool) {
		t.End(connectors.Result{Outcome: connectors.Permanent, Reason: reason, Message: words})
		return w, false
	}
	if t.Stage != "" {
		f := p.c.schema.field(p.c.stageField)
		if f == nil {
			return refuse(connectors.ReasonSettings, "persons have no field "+p.c.stageField+", and create_fields is off")
		}
		value, problem := f.valueFor(t.Stage)
		if problem != "" {
			return refuse(connectors.ReasonSettings, problem)
		}
		w.Custom[f.Code] = value
	}
	if t.Segments() {
		f := p.c.schema.field(p.c.segmentsField)
		switch {
		case f == nil && len(t.Add) > 0:
			return refuse(connectors.ReasonSettings, "persons have no field "+p.c.segmentsField+", and create_fields is off")
		case f != nil && f.Type != "set":
			return refuse(connectors.ReasonSettings, "the field "+f.Name+" is not one of multiple options")
		case f != nil:
			ids, differ, problem := t.segments(f)
			if problem != "" {
				return refuse(connectors.ReasonSettings, problem)
			}
			if differ {
				w.Custom[f.Code] = ids
			}
		}
	}
	for name, value := range t.Traits {
		if name == "name" {
			// A person without a name is not possible.
			w.Name = plainText(value)
			continue
		}
		f := p.c.schema.field(name)
		if f == nil {
			return refuse(connectors.ReasonSettings, "persons have no field "+name)
		}
		v, problem := f.valueFor(value)
		if problem != "" {
			return refuse(connectors.ReasonInvalid, problem)
		}
		w.Custom[f.Code] = v
	}
	return w, true
}

// segments works out the options that the person should have: those there,
// with ours added and taken off. Options that are no segments of the managed
// set stay. nil clears the field.
func (t *task) segments(f *field) (value any, differ bool, problem string) {
	var held []int64
	if t.held != nil {
		held = optionIDs(t.held.Custom[f.Code])
	}
	ids := slices.Clone(held)
	for _, s := range t.Remove {
		if id, ok := f.option(s); ok {
			ids = slices.DeleteFunc(ids, func(one int64) bool { return one == id })
		}
	}
	for _, s := range t.Add {
		id, ok := f.option(s)
		if !ok {
			return nil, false, "the field " + f.Name + " has no option " + s + ", and create_fields is off"
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Sort(held)
	if slices.Equal(ids, held) {
		return nil, false, ""
	}
	if len(ids) == 0 {
		return nil, true, ""
	}
	return ids, true, ""
}

// send makes the write and reads what the vendor holds afterwards.
func (p *push) send(ctx context.Context, t *task, act, method, path string, w personWrite) error {
	var held person
	if _, err := p.c.api.call(ctx, act, method, path, w, &held); err != nil {
		if connectors.ReasonOf(err) == connectors.ReasonInvalid {
			// Perhaps somebody took a field or an option away since it was read.
			p.c.schema.forget()
		}
		return err
	}
	if held.ID <= 0 {
		return &connectors.PushError{Act: "pipedrive: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no person"}
	}
	p.Arrival()
	t.ID, t.Seen = held.id(), true
	t.Wrote = sent(t.ID, w)
	if f := p.c.schema.field(p.c.stageField); f != nil && t.Stage != "" {
		now, told := held.Custom[f.Code]
		if told && customText(now) != textOf(w.Custom[f.Code]) {
			p.c.schema.forget()
			t.End(connectors.Result{
				Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
				Message: "Pipedrive kept another value in " + f.Name + " than the one sent",
			})
		}
	}
	return nil
}

// sent lists what a write did as webhooks report it: that the person was made,
// or its custom fields. A name that went along makes the event one that custom
// fields alone do not explain.
func sent(id string, w personWrite) []connectors.Field {
	var fields []connectors.Field
	switch {
	case len(w.Emails) > 0:
		return []connectors.Field{{Record: id, Name: writtenPerson, Value: strings.ToLower(w.Emails[0].Value)}}
	case w.Name != "":
		return nil
	}
	for _, code := range slices.Sorted(maps.Keys(w.Custom)) {
		fields = append(fields, connectors.Field{Record: id, Name: code, Value: textOf(w.Custom[code])})
	}
	return fields
}

// textOf spells a value of ours as customText spells the vendor's.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return customText(b)
}
