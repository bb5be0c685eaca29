package connectors

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/goccy/go-yaml"
)

// MustDescriptor reads connector.yaml, rules.yaml and guide.md out of a
// vendor's embedded folder. A mistake in them is a mistake in the program, so
// it panics; the catalogue test opens every vendor.
func MustDescriptor(folder fs.FS) *Descriptor {
	d := &Descriptor{}
	text := mustRead(folder, "connector.yaml")
	if err := yaml.UnmarshalWithOptions(text, d, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("connectors: connector.yaml: %v", err))
	}
	d.Rules = mustRead(folder, "rules.yaml")
	d.Guide = mustRead(folder, "guide.md")
	return d
}

func mustRead(folder fs.FS, name string) []byte {
	b, err := fs.ReadFile(folder, name)
	if err != nil {
		panic(fmt.Sprintf("connectors: %v", err))
	}
	return b
}

// CommonSettings are the settings that every connection has beside its
// connector's own.
func CommonSettings() []FieldSpec {
	return []FieldSpec{
		{Name: "public_url", Label: "Public address", Advanced: true, Example: "https://hooks.example.com/hubspot",
			Help: "what this vendor calls, when that is not PUBLIC_URL with /hooks/ and the connection's id; signatures cover it"},
		{Name: "identity_scope", Label: "Identity scope", Advanced: true,
			Help: "a name that connections to the same account share, so that a record's id means the same person in all of them"},
		{Name: SettingErasures, Label: "Requests for erasure", Advanced: true, Choices: []string{"confirm", "automatic"},
			Help: "what a person's own request for erasure, told by this vendor, leads to: a request that somebody confirms (the default), or the erasure itself; the latter only where a secret proves who sends"},
	}
}

// SettingErasures is the setting, of every connection, that lets requests for
// erasure be carried out without a person's word.
const SettingErasures = "erasures"

// Check compares a connection's settings and secrets with the form: what is
// required, allowed, known. No trait may be brought into a field that holds
// consent. It lists every mistake, in the order of the form.
func (d *Descriptor) Check(c Config) []*SettingError {
	var wrong []*SettingError
	known := map[string]bool{}
	check := func(f FieldSpec, value string) {
		known[f.Name] = true
		switch {
		case value == "" && (f.Required == "always" || f.Required == "destination" && c.Push.Enabled):
			wrong = append(wrong, &SettingError{f.Name, "is required: " + f.Help})
		case value != "" && len(f.Choices) > 0 && !slices.Contains(f.Choices, value):
			wrong = append(wrong, &SettingError{f.Name, fmt.Sprintf("is %q, want one of %v", value, f.Choices)})
		}
	}
	for _, f := range d.Secrets {
		check(f, c.Secret(f.Name).Reveal())
	}
	for _, f := range d.Settings {
		check(f, c.Settings[f.Name])
	}
	for _, f := range CommonSettings() {
		check(f, c.Settings[f.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Push.Traits)) {
		if ConsentField(name) && !d.CarriesConsent {
			wrong = append(wrong, &SettingError{"push.traits." + name, "holds the person's consent; Stagebridge never writes it"})
		}
	}
	for _, unknown := range unknownNames(known, c) {
		wrong = append(wrong, &SettingError{unknown, "is not a setting of " + d.ID})
	}
	return wrong
}

func unknownNames(known map[string]bool, c Config) []string {
	var names []string
	for n := range c.Secrets {
		if !known[n] {
			names = append(names, n)
		}
	}
	for n := range c.Settings {
		if !known[n] {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}
