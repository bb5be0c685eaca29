package apply

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Export gives the text of each file, by path, that says what is in force, and
// the environment variables that stand for credentials in files it made,
// sorted. A connection that is as it was applied keeps its file's text,
// comments and ${NAME} included.
func (a *Applier) Export(ctx context.Context) (files map[string]string, needed []string, err error) {
	plan, err := a.Admin.Plan(ctx) // which also reads whatever is new
	if err != nil {
		return nil, nil, err
	}
	past, err := a.past(ctx)
	if err != nil {
		return nil, nil, err
	}
	files = map[string]string{"plan.yaml": plan.Source}
	conns := a.Registry.Config().Connections
	for _, id := range slices.Sorted(maps.Keys(conns)) {
		c := conns[id]
		if c.Connection.Rules > 0 {
			files[path.Join("rules", id+".yaml")] = string(c.RulesSource)
		}
		name, now, was := path.Join("connections", id+".yaml"), a.ofRow(c), past.connections[id]
		if was != nil && c.Applied != "" && len(differences(was, now, names(was, now), c.Vendor.Descriptor)) == 0 {
			files[name] = c.Applied
			continue
		}
		text, variables := write(id, now)
		files[name] = text
		needed = append(needed, variables...)
	}
	slices.Sort(needed)
	return files, needed, nil
}

// write makes a connection's file.
func write(id string, m *meaning) (text string, variables []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "id: %s\nconnector: %s\n", quoted(id), quoted(m.connector))
	if len(m.secrets) > 0 {
		b.WriteString("secrets:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(m.secrets)) {
		variable := strings.ToUpper(strings.ReplaceAll(id+"_"+name, "-", "_"))
		if first := variable[0]; first >= '0' && first <= '9' {
			variable = "C_" + variable
		}
		value := quoted("${" + variable + "}")
		variables = append(variables, variable)
		if len(m.secrets[name]) > 1 {
			variables = append(variables, variable+"_PREVIOUS")
			value = "[" + value + ", " + quoted("${"+variable+"_PREVIOUS}") + "]"
		}
		fmt.Fprintf(&b, "  %s: %s\n", quoted(name), value)
	}
	if settings := filled(m.settings, nil); len(settings) > 0 {
		b.WriteString("settings:\n")
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			// A text that looks like a variable is none here.
			fmt.Fprintf(&b, "  %s: %s\n", quoted(name), quoted(strings.ReplaceAll(settings[name], "${", "$${")))
		}
	}
	writePush(&b, m.push)
	return b.String(), variables
}

func writePush(b *strings.Builder, p connectors.PushConfig) {
	fmt.Fprintf(b, "push:\n  enabled: %t\n  create: %t\n", p.Enabled, p.Create)
	writeMap(b, "stages", p.Stages)
	if p.Unmapped != "" {
		fmt.Fprintf(b, "  unmapped: %s\n", quoted(p.Unmapped))
	}
	if len(p.SegmentNames) > 0 {
		all := make([]string, len(p.SegmentNames))
		for i, name := range p.SegmentNames {
			all[i] = quoted(name)
		}
		fmt.Fprintf(b, "  segments: [%s]\n", strings.Join(all, ", "))
	} else {
		fmt.Fprintf(b, "  segments: %s\n", quoted(cmp.Or(p.Segments, "all")))
	}
	writeMap(b, "traits", p.Traits)
	writeLifecycles(b, p.Lifecycles)
	if p.Audience != "" {
		fmt.Fprintf(b, "  audience: %s\n", quoted(p.Audience))
	}
	if p.MaxAge != "" {
		fmt.Fprintf(b, "  max_age: %s\n", quoted(p.MaxAge))
	}
	if p.Since != 0 {
		fmt.Fprintf(b, "  since: %s\n", quoted(p.Since.Time().Format("2006-01-02T15:04:05.999999Z07:00")))
	}
	if p.Accounts != nil {
		var inner strings.Builder
		writePush(&inner, *p.Accounts)
		lines := strings.TrimSuffix(strings.TrimPrefix(inner.String(), "push:\n"), "\n")
		fmt.Fprintf(b, "  accounts:\n  %s\n", strings.ReplaceAll(lines, "\n", "\n  "))
	}
}

// writeLifecycles writes the fields of the further lifecycles.
func writeLifecycles(b *strings.Builder, all map[string]connectors.LifecyclePush) {
	if len(all) == 0 {
		return
	}
	b.WriteString("  lifecycles:\n")
	for _, id := range slices.Sorted(maps.Keys(all)) {
		push := all[id]
		fmt.Fprintf(b, "    %s:\n      field: %s\n", quoted(id), quoted(push.FieldOf(id)))
		if len(push.Stages) > 0 {
			b.WriteString("      stages:\n")
		}
		for _, name := range slices.Sorted(maps.Keys(push.Stages)) {
			fmt.Fprintf(b, "        %s: %s\n", quoted(name), quoted(push.Stages[name]))
		}
	}
}

func writeMap(b *strings.Builder, name string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s:\n", name)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(b, "    %s: %s\n", quoted(key), quoted(m[key]))
	}
}

// quoted writes a text that YAML reads as it is: bare where that is safe, else
// in the quotes of JSON, which are YAML's too.
func quoted(s string) string {
	bare := s != "" && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off"}, s)
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		bare = bare && (letter || i > 0 && (r >= '0' && r <= '9' || r == '-'))
	}
	if bare {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A text can always be encoded.
	_ = e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
