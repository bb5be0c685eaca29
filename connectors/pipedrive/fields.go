package pipedrive

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of the listing of fields.
const (
	fieldPage     = 500
	maxFieldPages = 20
)

// schema knows the fields of persons. They are read when a push first needs
// one, and again after one was found missing.
type schema struct {
	api    *api
	create bool

	mu    sync.Mutex
	known []field // nil: not read yet; never changed, only replaced
	stale bool    // to be read again before the next push
}

// wish is a field that a push needs, with labels of options. A field without a
// type belongs to the company's people and is never made or extended.
type wish struct {
	name, kind string
	labels     []string
}

// lookup finds a field by its name, whatever its case, or by its code.
func lookup(all []field, name string) *field {
	for i := range all {
		if all[i].Code == name {
			return &all[i]
		}
	}
	for i := range all {
		if all[i].Custom && strings.EqualFold(all[i].Name, name) {
			return &all[i]
		}
	}
	return nil
}

// field gives what is known of a field; nil when there is none.
func (s *schema) field(name string) *field {
	s.mu.Lock()
	defer s.mu.Unlock()
	return lookup(s.known, name)
}

// forget makes the next push read the fields again; those under way go on with
// what is known.
func (s *schema) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
}

// ensure reads the fields where something wished for is not known, and makes
// what is missing where that is allowed. Whatever is missing still, the caller
// sees by looking it up. One caller at a time asks the vendor.
func (s *schema) ensure(ctx context.Context, wishes []wish) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known != nil && !s.stale && !slices.ContainsFunc(wishes, func(w wish) bool { return w.lacking(s.known) }) {
		return nil
	}
	// Read before anything is made: another process may have been faster.
	known, err := s.read(ctx)
	if err != nil {
		return ofSettings(err)
	}
	s.known, s.stale = known, false
	if !s.create {
		return nil
	}
	for _, w := range wishes {
		if w.kind == "" || !w.lacking(s.known) {
			continue
		}
		if err := s.make(ctx, w); err != nil {
			s.stale = true // it may be there, made by another process
			return ofSettings(err)
		}
	}
	return nil
}

// lacking reports whether the field, or an option of it, is not known.
func (w wish) lacking(known []field) bool {
	f := lookup(known, w.name)
	return f == nil || len(w.missing(f)) > 0
}

// missing lists the labels that a field has no option for. A field without
// options takes any text.
func (w wish) missing(f *field) []string {
	if f.Type != "enum" && f.Type != "set" || w.kind == "" {
		return nil
	}
	var some []string
	for _, label := range w.labels {
		if _, ok := f.option(label); !ok {
			some = append(some, label)
		}
	}
	return some
}

// ofSettings marks a refusal as being about the connection. Told as it came, it
// would look as if somebody in the batch were to blame.
func ofSettings(err error) error {
	e := *connectors.AsPushError(err)
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid, connectors.ReasonConflict:
		e.Reason = connectors.ReasonSettings
	}
	return &e
}

func (s *schema) read(ctx context.Context) ([]field, error) {
	all := []field{}
	cursor := ""
	for range maxFieldPages {
		query := url.Values{"limit": {strconv.Itoa(fieldPage)}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page []field
		next, err := s.api.call(ctx, "list the fields of persons", http.MethodGet, v2+"/personFields?"+query.Encode(), nil, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if cursor = next; cursor == "" {
			break
		}
	}
	return all, nil
}

// make creates a field with its first options, or adds options to the one that
// is there. The lock is held.
func (s *schema) make(ctx context.Context, w wish) error {
	f := lookup(s.known, w.name)
	if f == nil {
		var made field
		_, err := s.api.call(ctx, "create the field "+w.name, http.MethodPost, v2+"/personFields",
			newField{Name: w.name, Type: w.kind, Options: labelled(w.labels)}, &made)
		if err != nil {
			return err
		}
		made.Name, made.Custom = w.name, true
		s.known = append(slices.Clone(s.known), made)
		return nil
	}
	var added []option
	_, err := s.api.call(ctx, "add options to the field "+w.name, http.MethodPost, v2+"/personFields/"+url.PathEscape(f.Code)+"/options",
		labelled(w.missing(f)), &added)
	if err != nil {
		return err
	}
	grown := *f
	grown.Options = slices.Concat(f.Options, added)
	s.known = slices.Clone(s.known)
	s.known[slices.IndexFunc(s.known, func(one field) bool { return one.Code == f.Code })] = grown
	return nil
}

func labelled(labels []string) []option {
	all := make([]option, len(labels))
	for i, label := range labels {
		all[i] = option{Label: cutRunes(label, maxName)}
	}
	return all
}
