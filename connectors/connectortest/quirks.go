package connectortest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"
)

// quirksFile, in the folder of the test, lists what the vendor's descriptions
// get wrong. A violation is excused only where it is listed there with a reason.
var quirksFile = filepath.Join("testdata", "quirks.yaml")

// Quirk is something that a vendor's description gets wrong, or leaves open.
type Quirk struct {
	// Description is the file it is about, "hubspot.openapi.json".
	Description string `yaml:"description"`
	// Operation is "POST /path/{id}" as the description spells it, for a path
	// that it lacks the path itself, for a payload the schema's name; "*" is
	// every operation, and within a path any one segment.
	Operation string `yaml:"operation"`
	// Part is request, answer, query, path, payload, or open: then Says names
	// members of the request, "contacts[].custom_fields", whose schema lists
	// some members and takes others too.
	Part string `yaml:"part"`
	// Says is a piece of the violation's text.
	Says string `yaml:"says"`
	// Reason why the description is wrong and we are not.
	Reason string `yaml:"reason"`
}

func quirksOf(t testing.TB, description string) []Quirk {
	t.Helper()
	text, err := os.ReadFile(quirksFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the descriptions are right
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []Quirk
	if err := yaml.UnmarshalWithOptions(text, &all, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", quirksFile, err)
	}
	return slices.DeleteFunc(all, func(q Quirk) bool {
		if q.Reason == "" || q.Operation == "" || q.Part == "" {
			t.Errorf("%s: %+v lacks a part", quirksFile, q)
		}
		return q.Description != description
	})
}

func (d *Description) excused(operation, part, text string) bool {
	return slices.ContainsFunc(d.quirks, func(q Quirk) bool {
		return matches(q.Operation, operation) && q.Part == part && strings.Contains(text, q.Says)
	})
}

func matches(pattern, operation string) bool {
	p, o := strings.Split(pattern, "/"), strings.Split(operation, "/")
	return pattern == "*" || slices.EqualFunc(p, o, func(a, b string) bool { return a == "*" || a == b })
}

// strict closes every object of a request whose schema lists its members, so
// that a misspelt member does not pass as one more.
func (d *Description) strict() {
	for path, item := range d.doc.Paths.Map() {
		for method, o := range item.Operations() {
			if o.RequestBody == nil || o.RequestBody.Value == nil {
				continue
			}
			for _, media := range o.RequestBody.Value.Content {
				d.close(method+" "+path, "", media.Schema, map[*openapi3.Schema]bool{})
			}
		}
	}
}

func (d *Description) close(operation, where string, ref *openapi3.SchemaRef, done map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || done[ref.Value] {
		return
	}
	s := ref.Value
	done[s] = true
	open := slices.ContainsFunc(d.quirks, func(q Quirk) bool {
		return q.Operation == operation && q.Part == "open" && q.Says == where
	})
	combined := len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0
	if a := s.AdditionalProperties; len(s.Properties) > 0 && a.Has == nil && a.Schema == nil && !combined && !open {
		no := false
		s.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
	}
	for name, member := range s.Properties {
		at := name
		if where != "" {
			at = where + "." + name
		}
		d.close(operation, at, member, done)
	}
	d.close(operation, where+"[]", s.Items, done)
}
