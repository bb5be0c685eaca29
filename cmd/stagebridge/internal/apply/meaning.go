package apply

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/workspace"
	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
)

// meaning is what a connection's file, or its row, says, however it is spelled.
type meaning struct {
	connector string
	settings  map[string]string
	secrets   map[string][]secret.Text
	push      connectors.PushConfig
}

func ofFile(c *workspace.Connection) *meaning {
	return &meaning{connector: c.Connector, settings: c.Settings, secrets: c.Secrets, push: c.Push}
}

// ofRow is what is in force. Credentials that cannot be opened count as none.
func (a *Applier) ofRow(c *jobs.Conn) *meaning {
	m := &meaning{connector: c.Connector, settings: map[string]string{}, push: c.Push}
	// A row's own settings, without the defaults that opening fills in.
	if json.Unmarshal([]byte(c.Connection.Settings), &m.settings) != nil {
		m.settings = map[string]string{}
	}
	m.secrets, _ = jobs.OpenSecrets(a.Vault, c.ID, c.Secrets)
	return m
}

// differences lists the fields in which two meanings differ, "push.enabled"
// and the like, sorted. Of secrets only those in named are looked at, and b
// may hold an older value beside: a rotation leaves one.
func differences(a, b *meaning, named map[string]bool, d *connectors.Descriptor) []string {
	var fields []string
	if a.connector != b.connector {
		fields = append(fields, "connector")
	}
	x, y := filled(a.settings, d), filled(b.settings, d)
	for _, name := range slices.Sorted(maps.Keys(union(x, y))) {
		if x[name] != y[name] {
			fields = append(fields, "settings."+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !holds(b.secrets[name], a.secrets[name]) {
			fields = append(fields, "secrets."+name)
		}
	}
	return append(fields, pushDifferences(a.push, b.push)...)
}

// holds reports whether have begins with want.
func holds(have, want []secret.Text) bool {
	if len(want) == 0 {
		return len(have) == 0
	}
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if !w.Equal(have[i].Reveal()) {
			return false
		}
	}
	return true
}

func filled(settings map[string]string, d *connectors.Descriptor) map[string]string {
	full := map[string]string{}
	if d != nil {
		for _, f := range d.Settings {
			if f.Default != "" {
				full[f.Name] = f.Default
			}
		}
	}
	for name, value := range settings {
		if value != "" {
			full[name] = value
		}
	}
	return full
}

func union(a, b map[string]string) map[string]bool {
	all := map[string]bool{}
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return all
}

// pushDifferences compares two push blocks field by field; what is left out
// equals its default.
func pushDifferences(a, b connectors.PushConfig) []string {
	var fields []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"accounts", sameAccounts(a.Accounts, b.Accounts)},
		{"audience", a.Audience == b.Audience},
		{"create", a.Create == b.Create},
		{"enabled", a.Enabled == b.Enabled},
		{"segments", reflect.DeepEqual(segments(a), segments(b))},
		{"lifecycles", sameLifecycles(a.Lifecycles, b.Lifecycles)},
		{"max_age", a.MaxAge == b.MaxAge},
		{"since", a.Since == b.Since},
		{"stages", maps.Equal(a.Stages, b.Stages)},
		{"traits", maps.Equal(a.Traits, b.Traits)},
		{"unmapped", cmp.Or(a.Unmapped, "skip") == cmp.Or(b.Unmapped, "skip")},
	} {
		if !f.same {
			fields = append(fields, "push."+f.name)
		}
	}
	return fields
}

// sameLifecycles compares what is written where.
func sameLifecycles(a, b map[string]connectors.LifecyclePush) bool {
	if len(a) != len(b) {
		return false
	}
	for id, x := range a {
		y, there := b[id]
		if !there || x.FieldOf(id) != y.FieldOf(id) || !maps.Equal(x.Stages, y.Stages) {
			return false
		}
	}
	return true
}

func segments(p connectors.PushConfig) []string {
	if len(p.SegmentNames) > 0 {
		names := slices.Clone(p.SegmentNames)
		slices.Sort(names)
		return names
	}
	return []string{"=" + cmp.Or(p.Segments, "all")}
}

// names lists the secrets that any of the meanings names.
func names(all ...*meaning) map[string]bool {
	found := map[string]bool{}
	for _, m := range all {
		if m == nil {
			continue
		}
		for name := range m.secrets {
			found[name] = true
		}
	}
	return found
}

// sameAccounts compares the push blocks of accounts; none pushes nothing.
func sameAccounts(a, b *connectors.PushConfig) bool {
	if a == nil && b == nil {
		return true // what ends the comparison: a push block of accounts has none of its own
	}
	none := connectors.PushConfig{Segments: "all"}
	return len(pushDifferences(*cmp.Or(a, &none), *cmp.Or(b, &none))) == 0
}
