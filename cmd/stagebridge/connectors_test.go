package main

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors/catalog"
)

func TestConnectors(t *testing.T) {
	t.Parallel()
	list := stagebridge(t, nil, "connectors")
	if list.code != exitOK {
		t.Fatalf("code %d: %s", list.code, list.stderr)
	}
	lines := strings.Split(strings.TrimSpace(list.stdout), "\n")
	if want := len(catalog.All()) + 1; len(lines) != want {
		t.Errorf("%d lines, want %d:\n%s", len(lines), want, list.stdout)
	}
	for i, v := range catalog.All() {
		if d := v.Descriptor; !strings.HasPrefix(lines[i+1], d.ID+" ") || !strings.Contains(lines[i+1], d.Name) {
			t.Errorf("line %d is %q, want %s, %s", i+1, lines[i+1], d.ID, d.Name)
		}
		one := stagebridge(t, nil, "connectors", v.Descriptor.ID)
		if one.code != exitOK || !strings.Contains(one.stdout, v.Descriptor.Summary) {
			t.Errorf("%s: code %d, output %q", v.Descriptor.ID, one.code, one.stdout)
		}
		if rules := stagebridge(t, nil, "connectors", "-rules", v.Descriptor.ID); rules.code != exitOK || rules.stdout != string(v.Descriptor.Rules) {
			t.Errorf("%s: -rules: code %d, %d bytes", v.Descriptor.ID, rules.code, len(rules.stdout))
		}
		for _, f := range append(v.Descriptor.Secrets, v.Descriptor.Settings...) {
			if !strings.Contains(one.stdout, "\n  "+f.Name) || !strings.Contains(one.stdout, f.Help) {
				t.Errorf("%s: the field %s is not told", v.Descriptor.ID, f.Name)
			}
		}
	}
	if !strings.Contains(list.stdout, "takes webhooks") || !strings.Contains(list.stdout, "gets stage and segments") {
		t.Errorf("what they do is not told:\n%s", list.stdout)
	}
}

func TestConnectorsUnknown(t *testing.T) {
	t.Parallel()
	if got := stagebridge(t, nil, "connectors", "-rules"); got.code != exitUsage || !strings.Contains(got.stderr, "wants the id") {
		t.Errorf("rules of nothing: code %d, errors %q", got.code, got.stderr)
	}
	for id, want := range map[string]string{
		"hubspott": "did you mean hubspot?",
		"zzzzzzzz": "there are " + catalog.All()[0].Descriptor.ID + ", " + catalog.All()[1].Descriptor.ID,
	} {
		if got := stagebridge(t, nil, "connectors", id); got.code != exitError || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: code %d, errors %q, want %q", id, got.code, got.stderr, want)
		}
	}
}
