package jobs

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// addressSettings name the settings that decide where credentials go.
var addressSettings = []string{"base_url", "url"}

// secrets gives the sealed credentials of a row after a change.
func (a *Admin) secrets(row *store.Connection, vendor connectors.Vendor, in ConnectionInput, was, now map[string]string, wrong *Invalid) ([]byte, error) {
	r := a.Registry
	old, err := OpenSecrets(r.o.Vault, row.ID, row.Secrets)
	if errors.Is(err, secret.ErrKey) {
		if len(in.Secrets) == 0 {
			// Another process may know the key: a change of something else must not
			// cost the credentials.
			wrong.setting("secrets", "were encrypted with a key that this process does not know; enter all of them again, or start it with that key")
			return nil, nil
		}
		old, err = Secrets{}, nil
	}
	if err != nil {
		return nil, err
	}
	kept := old
	if moved := movedAddress(vendor.Descriptor, was, now); row.Version > 0 && moved != "" && len(old) > 0 {
		// Whoever may edit settings must not be able to send credentials that
		// only the vendor should see to a host of their own.
		if missing := notGiven(old, in.Secrets); len(missing) > 0 && requiredAmong(vendor.Descriptor, missing, in.Push) {
			wrong.setting(moved, "leads to another host than before; enter the secrets again: %s", strings.Join(missing, ", "))
		}
		old = Secrets{}
	}
	next := rotate(old, in.Secrets)
	for name, value := range in.Previous {
		switch {
		case len(next[name]) == 0:
		case value.Empty():
			next[name] = next[name][:1]
		default:
			next[name] = []secret.Text{next[name][0], value}
		}
	}
	if in.ForgetPrevious {
		for name, values := range next {
			next[name] = values[:1]
		}
	}
	if len(next) == 0 {
		return nil, nil
	}
	if maps.EqualFunc(kept, next, sameValues) {
		return row.Secrets, nil // not sealed anew, so that it can be seen that they are the same
	}
	return SealSecrets(r.o.Vault, row.ID, next)
}

func sameValues(a, b []secret.Text) bool {
	return slices.EqualFunc(a, b, func(x, y secret.Text) bool { return x.Equal(y.Reveal()) })
}

// rotate brings new values in: a value that differs becomes the current one,
// and the one before it stays as the second.
func rotate(old Secrets, given map[string]secret.Text) Secrets {
	next := Secrets{}
	for name, values := range old {
		next[name] = slices.Clone(values)
	}
	for name, value := range given {
		have := next[name]
		switch {
		case value.Empty():
			delete(next, name)
		case value.Reveal() == secret.Redacted:
			// What the API shows in place of a secret says: as it was.
		case len(have) > 0 && have[0].Equal(value.Reveal()):
		case len(have) > 0:
			next[name] = []secret.Text{value, have[0]}
		default:
			next[name] = []secret.Text{value}
		}
	}
	return next
}

// movedAddress names the setting whose scheme or host changed; "" for none.
func movedAddress(d *connectors.Descriptor, was, now map[string]string) string {
	for _, name := range addressSettings {
		if origin(effective(d, name, was)) != origin(effective(d, name, now)) {
			return name
		}
	}
	return ""
}

func effective(d *connectors.Descriptor, name string, settings map[string]string) string {
	if v := settings[name]; v != "" {
		return v
	}
	for _, f := range d.Settings {
		if f.Name == name {
			return f.Default
		}
	}
	return ""
}

// origin is what counts of an address: a text that is none counts wholly.
func origin(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" {
		return address
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// notGiven lists, sorted, the secrets that there were and that do not come
// along anew.
func notGiven(old Secrets, given map[string]secret.Text) []string {
	var missing []string
	for name := range old {
		if v, ok := given[name]; !ok || v.Empty() || v.Reveal() == secret.Redacted {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

func requiredAmong(d *connectors.Descriptor, names []string, push *connectors.PushConfig) bool {
	for _, f := range d.Secrets {
		if slices.Contains(names, f.Name) && (f.Required == "always" || f.Required == "destination" && push != nil && push.Enabled) {
			return true
		}
	}
	return false
}

// SecretNames lists the secrets that a connection has, sorted, and those of
// them that are being rotated. Both are empty when they cannot be opened.
func (r *Registry) SecretNames(c *Conn) (all, rotating []string) {
	have, err := OpenSecrets(r.o.Vault, c.ID, c.Secrets)
	if err != nil {
		return nil, nil
	}
	for name, values := range have {
		all = append(all, name)
		if len(values) > 1 {
			rotating = append(rotating, name)
		}
	}
	slices.Sort(all)
	slices.Sort(rotating)
	return all, rotating
}
