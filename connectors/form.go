package connectors

import (
	"errors"
	"fmt"
	"strings"
)

// Form reads a connection's settings for a vendor's constructor and gathers what
// is wrong with them, so that a person sees every mistake at once.
type Form struct {
	d     *Descriptor
	cfg   Config
	wrong []error
}

// ReadForm begins with what Descriptor.Check says.
func ReadForm(d *Descriptor, cfg Config) *Form {
	f := &Form{d: d, cfg: cfg}
	for _, e := range d.Check(cfg) {
		f.wrong = append(f.wrong, e)
	}
	return f
}

// Setting gives a setting without white space around it; where it is empty or not
// there, the descriptor's default.
func (f *Form) Setting(name string) string {
	if v := strings.TrimSpace(f.cfg.Settings[name]); v != "" {
		return v
	}
	for _, field := range f.d.Settings {
		if field.Name == name {
			return field.Default
		}
	}
	return ""
}

// Given gives a setting that may be empty on purpose, such as a prefix: the
// default counts only where the setting is not there at all.
func (f *Form) Given(name string) string {
	if v, there := f.cfg.Settings[name]; there {
		return strings.TrimSpace(v)
	}
	return f.Setting(name)
}

// Refuse notes a mistake in a field of the form, or in part of the push block,
// which is named as push.traits.
func (f *Form) Refuse(field, format string, args ...any) {
	f.wrong = append(f.wrong, &SettingError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// Err joins a *SettingError for each mistake; nil where there is none.
func (f *Form) Err() error { return errors.Join(f.wrong...) }
