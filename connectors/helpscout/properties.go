package helpscout

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxText is what a text property holds, in characters.
const maxText = 255

// schema knows the account's customer properties. They are read when a push
// first needs one, and again after one was found missing.
type schema struct {
	api    *api
	create bool

	mu    sync.Mutex
	known []definition // nil: not read yet; never changed, only replaced
	stale bool         // to be read again before the next push
}

// property gives what is known of a slug; nil when there is none.
func (s *schema) property(slug string) *definition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return lookup(s.known, slug)
}

func lookup(all []definition, slug string) *definition {
	for i := range all {
		if all[i].Slug == slug {
			return &all[i]
		}
	}
	return nil
}

// forget makes the next push read the properties again; those under way go on
// with what is known.
func (s *schema) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
}

// ensure reads the properties where a slug is not known, and creates those in
// own where that is allowed. Whatever is missing still, the caller sees by
// looking it up. One caller at a time asks the vendor.
func (s *schema) ensure(ctx context.Context, slugs []string, own map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lacking := func(slug string) bool { return lookup(s.known, slug) == nil }
	if s.known != nil && !s.stale && !slices.ContainsFunc(slugs, lacking) {
		return nil
	}
	// Read before anything is made: another process may have been faster.
	var got struct {
		Embedded *struct {
			Properties []definition `json:"customer-properties"`
		} `json:"_embedded"`
	}
	const act = "list customer properties"
	if _, err := s.api.call(ctx, act, http.MethodGet, "/customer-properties", nil, &got); err != nil {
		return ofSettings(err)
	}
	s.known, s.stale = []definition{}, false
	if got.Embedded != nil {
		s.known = append(s.known, got.Embedded.Properties...)
	}
	for _, slug := range slices.DeleteFunc(slices.Clone(slugs), func(slug string) bool { return !lacking(slug) }) {
		name, ours := own[slug]
		if !ours || !s.create {
			continue
		}
		made := definition{Type: "text", Slug: slug, Name: name}
		_, err := s.api.call(ctx, "create the property "+slug, http.MethodPost, "/customer-properties", made, nil)
		if err != nil {
			s.stale = true // it may be there, made by another process
			return ofSettings(err)
		}
		s.known = append(slices.Clone(s.known), made)
	}
	return nil
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

// valueFor puts a value into the form that the property takes. The words say
// why it cannot be written.
func (d *definition) valueFor(v any) (any, string) {
	written := connectors.ValueText(v)
	switch d.Type {
	case "number":
		if n, err := strconv.ParseFloat(written, 64); err != nil || n != n || !json.Valid([]byte(written)) {
			return nil, "the property " + d.Slug + " takes numbers only"
		}
		return json.Number(written), ""
	case "date":
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, written); err == nil {
				return at.Format(time.DateOnly), ""
			}
		}
		return nil, "the property " + d.Slug + " takes dates only"
	case "dropdown":
		for _, o := range d.Options {
			if strings.EqualFold(o.Label, written) || o.ID == written {
				return o.ID, ""
			}
		}
		return nil, "the property " + d.Slug + " has no option of that name"
	}
	if r := []rune(written); len(r) > maxText {
		return string(r[:maxText]), ""
	}
	return written, ""
}
