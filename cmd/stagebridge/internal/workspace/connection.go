package workspace

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/secret"
)

// maxSecrets is how many values of one secret may be alive: the current one
// and, while it is being rotated out, the previous one.
const maxSecrets = 2

// connection reads one file; false when it has mistakes.
func (l *loader) connection(name string) (Connection, bool) {
	f, err := l.read(name)
	if err != nil {
		l.add(err)
		return Connection{}, false
	}
	r := document.Open(f.Path, []byte(f.Text))
	c := Connection{
		ID:        r.Text("id"),
		Connector: r.Text("connector"),
		File:      f,
	}
	if want := strings.TrimSuffix(path.Base(name), suffix); c.ID != "" && c.ID != want {
		r.Fail("id", "is %s, but the file is named %s; the two must agree", c.ID, path.Base(name))
	} else if c.ID != "" && !idForm.MatchString(c.ID) {
		r.Fail("id", "is %s, want 1 to 40 small letters, digits and hyphens, not a hyphen first", c.ID)
	}
	x := &expander{lookup: l.o.Lookup, failed: map[string]bool{}}
	c.Secrets = x.secrets(r)
	c.Settings = x.settings(r)
	c.Push = readPush(r, l.plan)
	r.Unknown()
	l.check(r, c, x.failed)
	if err := r.Err(); err != nil {
		l.add(err)
		return Connection{}, false
	}
	return c, true
}

// check opens the connection as the server would, which makes no request, and
// puts what the connector says at the lines concerned.
func (l *loader) check(r *document.Reader, c Connection, failed map[string]bool) {
	if c.Connector == "" {
		return
	}
	i := slices.IndexFunc(l.o.Vendors, func(v connectors.Vendor) bool { return v.Descriptor.ID == c.Connector })
	if i < 0 {
		var ids []string
		for _, v := range l.o.Vendors {
			ids = append(ids, v.Descriptor.ID)
		}
		message := "is " + c.Connector + ", which no connector is called ('stagebridge connectors' lists them)"
		if near := document.Nearest(c.Connector, ids); near != "" {
			message += "; did you mean " + near + "?"
		}
		r.Fail("connector", "%s", message)
		return
	}
	vendor := l.o.Vendors[i]
	_, err := vendor.Open(connectors.Config{
		ID:        c.ID,
		Instance:  "check",
		PublicURL: "https://bridge.example.com/hooks/" + c.ID,
		Settings:  withDefaults(vendor.Descriptor, c.Settings),
		Secrets:   c.Secrets,
		Push:      c.Push,
	})
	for _, e := range flatten(err) {
		place(r, vendor.Descriptor, e, failed)
	}
}

// place reports a connector's complaint at the field it names. A value that
// could not be expanded has been reported already.
func place(r *document.Reader, d *connectors.Descriptor, err error, failed map[string]bool) {
	var e *connectors.SettingError
	if !errors.As(err, &e) {
		r.Fail("connector", "%v", err)
		return
	}
	group, field, nested := strings.Cut(e.Field, ".")
	if !nested {
		group, field = groupOf(r, d, e.Field), e.Field
	}
	if failed[group+"."+field] {
		return
	}
	if r.Kind(group) != document.Map {
		r.Fail(group+"."+field, "%s", e.Detail)
		return
	}
	r.Map(group, func(m *document.Reader) { m.Fail(field, "%s", e.Detail) })
}

// groupOf says whether a field of the form, or an unknown one, is a secret or
// a setting.
func groupOf(r *document.Reader, d *connectors.Descriptor, field string) string {
	named := func(f connectors.FieldSpec) bool { return f.Name == field }
	if slices.ContainsFunc(d.Secrets, named) {
		return "secrets"
	}
	if !slices.ContainsFunc(d.Settings, named) && r.Node().Get("secrets").Get(field) != nil {
		return "secrets"
	}
	return "settings"
}

func withDefaults(d *connectors.Descriptor, settings map[string]string) map[string]string {
	full := map[string]string{}
	for _, f := range d.Settings {
		if f.Default != "" {
			full[f.Name] = f.Default
		}
	}
	for name, value := range settings {
		full[name] = value
	}
	return full
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// secrets reads the block of that name; each value is a text or a list of the
// current and the previous one.
func (x *expander) secrets(r *document.Reader) map[string][]secret.Text {
	all := map[string][]secret.Text{}
	r.Entries("secrets", func(name string, value *document.Reader) {
		if value.Kind("") != document.List {
			all[name] = []secret.Text{secret.New(x.expand(value, "secrets."+name, value.Text("")))}
			return
		}
		value.List("", func(item *document.Reader) {
			all[name] = append(all[name], secret.New(x.expand(item, "secrets."+name, item.Text(""))))
		})
		if n := len(all[name]); n == 0 || n > maxSecrets {
			value.Fail("", "lists %d values, want the current one and at most the previous one", n)
		}
	})
	return all
}

// settings reads the block of that name; each value is one text, number or
// yes/no value.
func (x *expander) settings(r *document.Reader) map[string]string {
	all := map[string]string{}
	r.Entries("settings", func(name string, value *document.Reader) {
		switch n := value.Node(); n.Kind {
		case document.Text, document.Int, document.Float, document.Bool:
			all[name] = x.expand(value, "settings."+name, n.Text)
		default:
			value.Fail("", "is %s, want a text", n.Kind)
		}
	})
	return all
}
