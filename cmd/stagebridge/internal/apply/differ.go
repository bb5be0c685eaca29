package apply

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/workspace"
	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// differ is one comparison.
type differ struct {
	a       *Applier
	w       *workspace.Workspace
	o       Options
	past    *past
	changes []Change
}

// verdict of a three-way comparison. was is nil for what was never applied,
// now for what is not there.
func (d *differ) verdict(inFolder, applied, there, fileSame, pageSame, same bool) Action {
	switch {
	case !inFolder && !applied:
		return "" // somebody's own, made in the pages
	case !inFolder && !there:
		return Note
	case !inFolder && !d.o.Prune:
		return Left
	case !inFolder && (pageSame || d.o.Force):
		return Delete
	case !inFolder:
		return Conflict
	case !there && !applied:
		return Create
	case !there && fileSame && !d.o.Force:
		return Drift
	case !there && !d.o.Force:
		return Conflict
	case !there:
		return Create
	case same && applied && fileSame:
		return ""
	case same:
		return Note
	case d.o.Force, applied && pageSame:
		return Update
	case applied && fileSame:
		return Drift
	default:
		return Conflict
	}
}

// explain gives the line of a drift or a conflict.
func explain(action Action, applied, there bool, what string) string {
	switch {
	case action == Left:
		return "is in the folder no more; -prune removes it"
	case action == Drift && !there:
		return "was deleted in the pages; the file is unchanged since"
	case action == Drift:
		return "was changed in the pages" + what + "; the file is unchanged since"
	case !there:
		return "was deleted in the pages, and the file was changed"
	case !applied:
		return "was made in the pages and differs" + what
	default:
		return "was changed both in the pages and in the file" + what
	}
}

// text compares rules or the plan, of which a text is all there is to know.
func (d *differ) text(kind, id, file string, folder, was *string, now string, untouched bool) Action {
	inFolder, applied := folder != nil, was != nil
	f, w := deref(folder), deref(was)
	action := d.verdict(inFolder, applied, true, f == w, applied && now == w || untouched, f == now)
	if action == Conflict && untouched && inFolder {
		action = Update // what a new installation begins with is nobody's change
	}
	c := Change{Kind: kind, ID: id, Action: action, File: file}
	switch action {
	case "":
		return action
	case Drift:
		c.Details = append([]string{explain(action, applied, true, "")}, document.LineDiff(w, now)...)
	case Conflict, Left:
		c.Details = append([]string{explain(action, applied, true, "")}, document.LineDiff(now, f)...)
	case Update:
		c.Details = document.LineDiff(now, f)
	}
	d.changes = append(d.changes, c)
	return action
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (d *differ) plan(ctx context.Context) error {
	now, err := d.a.Admin.Plan(ctx)
	if err != nil {
		return err
	}
	file, folder := "plan.yaml", (*string)(nil)
	if d.w.Plan != nil {
		file, folder = d.w.Plan.Path, &d.w.Plan.Text
	}
	if folder == nil && d.past.plan == nil {
		return nil
	}
	if folder == nil {
		// There is always a plan, so there is nothing to go back to: it stays.
		if d.o.Prune {
			d.changes = append(d.changes, Change{Kind: KindPlan, Action: Note, File: file, do: func(ctx context.Context) error {
				return d.a.Store.DropNote(ctx, notePlan)
			}})
		}
		return nil
	}
	action := d.text(KindPlan, "", file, folder, d.past.plan, now.Source, d.past.plan == nil && now.Version <= 1)
	if action != Update && action != Note {
		return nil
	}
	d.last().do = func(ctx context.Context) error {
		if action == Update {
			if _, err := d.a.Admin.PublishPlan(ctx, now.Version, store.Versioned{Source: *folder, Author: Author, Note: d.o.reason()}); err != nil {
				return err
			}
		}
		return d.a.Store.SetNote(ctx, notePlan, *folder)
	}
	return nil
}

func (d *differ) last() *Change { return &d.changes[len(d.changes)-1] }

// ids of the folder and of what was applied, sorted.
func (d *differ) ids() []string {
	var ids []string
	for _, c := range d.w.Connections {
		ids = append(ids, c.ID)
	}
	for id := range d.past.connections {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (d *differ) connection(id string) error {
	var file *workspace.Connection
	if i := slices.IndexFunc(d.w.Connections, func(c workspace.Connection) bool { return c.ID == id }); i >= 0 {
		file = &d.w.Connections[i]
	}
	row, was := d.a.Registry.Config().Connections[id], d.past.connections[id]
	s := sides{id: id, file: file, row: row, was: was}
	if file != nil {
		s.folder, s.path = ofFile(file), file.File.Path
	} else {
		s.path = path.Join("connections", id+".yaml")
	}
	var descriptor *connectors.Descriptor
	if row != nil {
		s.now, descriptor = d.a.ofRow(row), row.Vendor.Descriptor
	}
	named := names(s.folder, was)
	var toFile []string
	fileSame := s.folder != nil && was != nil && len(differences(was, s.folder, named, descriptor)) == 0 && !relisted(was, s.folder)
	pageSame := was != nil && s.now != nil && len(differences(was, s.now, named, descriptor)) == 0
	if s.folder != nil && s.now != nil {
		toFile = differences(s.folder, s.now, named, descriptor)
	}
	same := s.folder != nil && s.now != nil && len(toFile) == 0 && (was == nil || !relisted(was, s.folder))
	action := d.verdict(file != nil, was != nil, row != nil, fileSame, pageSame, same)
	if action == "" && row != nil && file != nil && row.Applied != file.File.Text {
		action = Note
	}
	what := toFile
	if action == Drift && s.now != nil {
		what = differences(was, s.now, named, descriptor)
	}
	d.change(s, action, what)
	return d.rules(s, action)
}

// relisted reports whether a rotation began or ended: the file lists another
// number of values for a secret than it did.
func relisted(was, now *meaning) bool {
	for name := range names(was, now) {
		if len(was.secrets[name]) != len(now.secrets[name]) {
			return true
		}
	}
	return false
}

// sides of one connection's comparison; each may be nil.
type sides struct {
	id, path         string
	file             *workspace.Connection
	row              *jobs.Conn
	folder, was, now *meaning
}

// change adds what is to be done about a connection.
func (d *differ) change(s sides, action Action, fields []string) {
	if action == "" {
		return
	}
	c := Change{Kind: KindConnection, ID: s.id, Action: action, File: s.path}
	switch action {
	case Drift, Conflict, Left:
		what := ""
		if len(fields) > 0 {
			what = " (" + strings.Join(fields, ", ") + ")"
		}
		c.Details = []string{explain(action, s.was != nil, s.row != nil, what)}
	case Create, Update:
		in := s.input()
		c.Details = fields
		c.check = func(ctx context.Context) error { return d.a.Admin.Validate(ctx, in) }
		c.do = func(ctx context.Context) error { return d.save(ctx, s, in) }
	case Delete:
		c.do = func(ctx context.Context) error {
			if err := d.a.Admin.Delete(ctx, s.id); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			return d.forget(ctx, s.id)
		}
	case Note:
		c.do = func(ctx context.Context) error { return d.note(ctx, s) }
	}
	d.changes = append(d.changes, c)
}

// input is the file as Admin takes it.
func (s *sides) input() jobs.ConnectionInput {
	in := jobs.ConnectionInput{
		ID: s.id, Connector: s.file.Connector, Settings: s.file.Settings, Push: &s.file.Push, Applied: &s.file.File.Text, Author: Author,
		Secrets: map[string]secret.Text{}, Previous: map[string]secret.Text{},
	}
	if s.row != nil {
		in.Version = s.row.Version
	}
	for name, values := range s.folder.secrets {
		in.Secrets[name] = values[0]
		if len(values) > 1 {
			in.Previous[name] = values[1]
		} else if s.was != nil && len(s.was.secrets[name]) > 1 {
			in.Previous[name] = secret.Text{}
		}
	}
	if s.was != nil {
		for name := range s.was.secrets {
			if _, ok := s.folder.secrets[name]; !ok {
				in.Secrets[name] = secret.Text{}
			}
		}
	}
	return in
}

func (d *differ) save(ctx context.Context, s sides, in jobs.ConnectionInput) error {
	save := d.a.Admin.Update
	if s.row == nil {
		save = d.a.Admin.Create
	}
	if _, err := save(ctx, in); err != nil {
		return err
	}
	return d.remember(ctx, s.id, s.folder)
}

func (d *differ) remember(ctx context.Context, id string, m *meaning) error {
	name := noteConnection + id
	text, err := d.a.sealNote(name, m)
	if err != nil {
		return err
	}
	return d.a.Store.SetNote(ctx, name, text)
}

// note remembers a file that says what is in force, or forgets one that is
// gone together with its connection.
func (d *differ) note(ctx context.Context, s sides) error {
	if s.file == nil {
		return d.forget(ctx, s.id)
	}
	if s.row != nil && s.row.Applied != s.file.File.Text {
		in := jobs.ConnectionInput{ID: s.id, Applied: &s.file.File.Text, Author: Author, Version: s.row.Version}
		if _, err := d.a.Admin.Update(ctx, in); err != nil {
			return err
		}
	}
	return d.remember(ctx, s.id, s.folder)
}

func (d *differ) forget(ctx context.Context, id string) error {
	return errors.Join(d.a.Store.DropNote(ctx, noteConnection+id), d.a.Store.DropNote(ctx, noteRules+id))
}

// rules compares a connection's rules, once it is known what becomes of it.
func (d *differ) rules(s sides, connection Action) error {
	var folder, was *string
	file := path.Join("rules", s.id+".yaml")
	if f, ok := d.w.Rules[s.id]; ok {
		file, folder = f.Path, &f.Text
	}
	if text, ok := d.past.rules[s.id]; ok {
		was = &text
	}
	if connection == Create && folder != nil {
		d.changes = append(d.changes, Change{Kind: KindRules, ID: s.id, Action: Create, File: file, do: func(ctx context.Context) error {
			return d.publish(ctx, s.id, folder)
		}})
		return nil
	}
	if s.row == nil || s.file == nil {
		return nil // they go with their connection
	}
	defaults := s.row.Connection.Rules == 0
	now := string(s.row.RulesSource)
	action := d.text(KindRules, s.id, file, folder, was, now, defaults)
	switch action {
	case Update, Delete:
		d.last().do = func(ctx context.Context) error { return d.publish(ctx, s.id, folder) }
	case Note:
		d.last().do = func(ctx context.Context) error { return d.a.Store.SetNote(ctx, noteRules+s.id, *folder) }
	}
	return nil
}

// publish puts a file's rules in force; without one the connector's own.
func (d *differ) publish(ctx context.Context, id string, folder *string) error {
	now, err := d.a.Admin.Rules(ctx, id)
	if err != nil {
		return err
	}
	if folder == nil {
		if now.Version > 0 {
			if _, err := d.a.Admin.RollbackRules(ctx, id, 0, Author, d.o.reason()); err != nil {
				return err
			}
		}
		return d.a.Store.DropNote(ctx, noteRules+id)
	}
	if _, err := d.a.Admin.PublishRules(ctx, id, now.Version, store.Versioned{Source: *folder, Author: Author, Note: d.o.reason()}); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	return d.a.Store.SetNote(ctx, noteRules+id, *folder)
}
