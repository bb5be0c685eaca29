package workspace

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// acme is a vendor of these tests.
func acme() connectors.Vendor {
	d := &connectors.Descriptor{
		ID: "acme",
		Secrets: []connectors.FieldSpec{
			{Name: "token", Required: "always", Help: "the access token"},
			{Name: "signing", Help: "the signing secret"},
		},
		Settings: []connectors.FieldSpec{
			{Name: "region", Required: "always", Default: "eu", Choices: []string{"eu", "us"}},
			{Name: "account", Required: "destination", Help: "the account's number"},
			{Name: "quiet"},
		},
	}
	return connectors.Vendor{Descriptor: d, Open: func(c connectors.Config) (connectors.Connector, error) {
		var wrong []error
		for _, e := range d.Check(c) {
			wrong = append(wrong, e)
		}
		if c.Push.Traits["id"] != "" {
			wrong = append(wrong, &connectors.SettingError{Field: "push.traits", Detail: "id is not a field that can be written"})
		}
		return nil, errors.Join(wrong...)
	}}
}

const plan = `name: mine
stages:
  - name: Visit
  - { name: Qualified Lead, when: 'seen("Lead:Qualified")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
segments:
  at_risk: inactive("30d")
  paying: stage == "Customer"
`

func folder(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func options() Options {
	env := map[string]string{"ACME_TOKEN": "t0ken", "ACME_SIGNING": "s1gning", "REGION": "us", "EMPTY": "", "TRICK": "${ACME_TOKEN}"}
	return Options{
		Root:    "ws",
		Vendors: []connectors.Vendor{acme()},
		Lookup:  func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		CheckRules: func(file string, source []byte, c Connection) error {
			if strings.Contains(string(source), "bad") {
				return fmt.Errorf("%s:1:1: rules[0].when: bad for %s (%s)", file, c.ID, c.Connector)
			}
			return nil
		},
		ParsePlan: func(file string, source []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, source)
		},
	}
}

var bySecret = cmp.Comparer(func(a, b secret.Text) bool { return a.Reveal() == b.Reveal() })

func TestLoad(t *testing.T) {
	t.Parallel()
	eu := `id: acme-eu
connector: acme
secrets: { token: "${ACME_TOKEN}", signing: ["${ACME_SIGNING}", old] }
settings: { account: 42, quiet: true, region: "${REGION}" }
push:
  enabled: true
  create: true
  stages: { Customer: customer, Qualified Lead: lead }
  unmapped: keep
  segments: [at_risk]
  traits: { first: first_name }
  audience: paying
  since: 2026-01-31T01:00:00+01:00
`
	quiet := "id: quiet\nconnector: acme\nsecrets: { token: 'a $${b} $c ${TRICK}' }\n"
	got, err := Load(folder(map[string]string{
		"connections/quiet.yaml":     quiet,
		"connections/acme-eu.yaml":   eu,
		"rules/acme-eu.yaml":         "rules: []\n",
		"plan.yaml":                  plan,
		"README.md":                  "told to people",
		".github/workflows/run.yaml": "not ours",
	}), options())
	if err != nil {
		t.Fatal(err)
	}
	want := &Workspace{
		Connections: []Connection{{
			ID: "acme-eu", Connector: "acme",
			Secrets:  map[string][]secret.Text{"token": {secret.New("t0ken")}, "signing": {secret.New("s1gning"), secret.New("old")}},
			Settings: map[string]string{"account": "42", "quiet": "true", "region": "us"},
			Push: connectors.PushConfig{
				Enabled: true, Create: true, Unmapped: "keep", SegmentNames: []string{"at_risk"}, Audience: "paying",
				Stages: map[string]string{"Customer": "customer", "Qualified Lead": "lead"},
				Traits: map[string]string{"first": "first_name"},
				Since:  lifecycle.At(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)),
			},
			File: File{"ws/connections/acme-eu.yaml", eu},
		}, {
			ID: "quiet", Connector: "acme",
			Secrets:  map[string][]secret.Text{"token": {secret.New("a ${b} $c ${ACME_TOKEN}")}},
			Settings: map[string]string{},
			Push:     connectors.PushConfig{Segments: "all"},
			File:     File{"ws/connections/quiet.yaml", quiet},
		}},
		Rules: map[string]File{"acme-eu": {"ws/rules/acme-eu.yaml", "rules: []\n"}},
		Plan:  &File{"ws/plan.yaml", plan},
	}
	if diff := cmp.Diff(want, got, bySecret); diff != "" {
		t.Errorf("workspace (-want +got):\n%s", diff)
	}
}

// TestLoadListsEveryMistake has mistakes of every kind in several files at once.
func TestLoadListsEveryMistake(t *testing.T) {
	t.Parallel()
	got, err := Load(folder(map[string]string{
		"connections/a.yaml": `id: b
connector: acmee
secrets: { token: "${MISSING}" }
settigns: {}
push: { enabled: yes, segments: some, since: tomorrow, unmapped: drop, stage: {} }
`,
		"connections/c.yaml": `id: c
connector: acme
secrets: { token: "x${MISSING}y${EMPTY}", signing: [], other: x }
settings: { region: mars, quiet: [1], colour: blue, account: "${1}" }
push: { enabled: true, traits: { id: user } }
`,
		"connections/d.yaml":   "id: d\nconnector: acme\npush: { enabled: true }\n",
		"connections/e.yaml":   "id: &x e\nconnector: [\n",
		"connections/-f-.yaml": "id: -f-\nconnector: acme\nsecrets: { token: x }\n",
		"connections/g.yml":    "id: g\n",
		"rules/c.yaml":         "bad",
		"rules/d.yaml":         "fine",
		"rules/dd.yaml":        "fine",
		"plan.yaml":            "nmae: bad\n",
		"conections/h.yaml":    "id: h\n",
	}), options())
	if got != nil || err == nil {
		t.Fatalf("workspace %v, error %v", got, err)
	}
	want := []string{
		"ws/conections/h.yaml: is not read; a workspace is made of connections/<id>.yaml, rules/<id>.yaml and plan.yaml",
		"ws/connections/g.yml: is not read; end its name in .yaml",

		"ws/connections/-f-.yaml:1:5: id: is -f-, want 1 to 40 small letters, digits and hyphens, not a hyphen first",

		"ws/connections/a.yaml:1:5: id: is b, but the file is named a.yaml; the two must agree",
		"ws/connections/a.yaml:2:12: connector: is acmee, which no connector is called ('stagebridge connectors' lists them); did you mean acme?",
		"ws/connections/a.yaml:3:19: secrets.token: needs the environment variable MISSING, which is unset or empty",
		"ws/connections/a.yaml:4:1: settigns: is not a field here; did you mean settings?",
		"ws/connections/a.yaml:5:18: push.enabled: is a text, want true or false",
		"ws/connections/a.yaml:5:33: push.segments: is some, want all, none or a list of names such as [some]",
		"ws/connections/a.yaml:5:46: push.since: is tomorrow, want a time such as 2026-01-31T00:00:00Z",
		"ws/connections/a.yaml:5:66: push.unmapped: is drop, want skip or keep",
		"ws/connections/a.yaml:5:72: push.stage: is not a field here; did you mean stages?",

		"ws/connections/c.yaml:3:19: secrets.token: needs the environment variable MISSING, which is unset or empty",
		"ws/connections/c.yaml:3:19: secrets.token: needs the environment variable EMPTY, which is unset or empty",
		"ws/connections/c.yaml:3:52: secrets.signing: lists 0 values, want the current one and at most the previous one",
		"ws/connections/c.yaml:3:63: secrets.other: is not a setting of acme",
		"ws/connections/c.yaml:4:21: settings.region: is \"mars\", want one of [eu us]",
		"ws/connections/c.yaml:4:34: settings.quiet: is a list, want a text",
		"ws/connections/c.yaml:4:47: settings.colour: is not a setting of acme",
		"ws/connections/c.yaml:4:62: settings.account: has a ${ that is not ${NAME}; write $${ where the two characters are meant",
		"ws/connections/c.yaml:5:34: push.traits: id is not a field that can be written",

		"ws/connections/d.yaml:1:1: secrets.token: is required: the access token",
		"ws/connections/d.yaml:1:1: settings.account: is required: the account's number",

		"ws/connections/e.yaml:1:5: starts a YAML anchor",
		"ws/connections/e.yaml:2:12: ",

		"ws/rules/c.yaml:1:1: rules[0].when: bad for c ()",
		"ws/rules/dd.yaml: belongs to no connection: there is no connections/dd.yaml; did you mean d.yaml?",
		"ws/plan.yaml:1:1: name: is missing",
		"ws/plan.yaml:1:1: stages: is missing",
		"ws/plan.yaml:1:1: nmae: is not a field here; did you mean name?",
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range max(len(want), len(lines)) {
		switch {
		case i >= len(lines):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("unexpected: %s", lines[i])
		case !strings.HasPrefix(lines[i], want[i]):
			t.Errorf("line %d\n got %s\nwant %s", i, lines[i], want[i])
		}
	}
}

// TestLoadHoldsPushAgainstThePlan finds names in push blocks that the plan of
// the same workspace does not have.
func TestLoadHoldsPushAgainstThePlan(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"connections/a.yaml": `id: a
connector: acme
secrets: { token: x }
push:
  stages: { Custmer: customer, Visit: visit }
  segments: [at_risk, payng]
  audience: vip
`,
	}
	if _, err := Load(folder(files), options()); err != nil {
		t.Errorf("without a plan: %v", err)
	}
	files["plan.yaml"] = plan
	_, err := Load(folder(files), options())
	want := `ws/connections/a.yaml:5:22: push.stages.Custmer: names Custmer, which is no stage of plan.yaml; did you mean Customer?
ws/connections/a.yaml:6:23: push.segments[1]: names payng, which is no segment of plan.yaml; did you mean paying?
ws/connections/a.yaml:7:13: push.audience: names vip, which is no segment of plan.yaml`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestLoadShowsNoSecret(t *testing.T) {
	t.Parallel()
	_, err := Load(folder(map[string]string{
		"connections/a.yaml": "id: a\nconnector: acme\nsecrets: { token: '${ACME_TOKEN}', signing: ['${ACME_SIGNING}', b, c] }\nsettings: { region: x }\n",
	}), options())
	if err == nil {
		t.Fatal("no error")
	}
	for _, plain := range []string{"t0ken", "s1gning"} {
		if strings.Contains(err.Error(), plain) {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

func TestLoadRefusesFolders(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range maxFiles + 1 {
		many[fmt.Sprintf("f%d.txt", i)] = ""
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"empty":     {nil, "ws: has no connections/*.yaml, no rules/*.yaml and no plan.yaml"},
		"huge":      {many, "ws: has more than 2000 files; is it the right folder?"},
		"long file": {map[string]string{"plan.yaml": strings.Repeat("#\n", 1<<20)}, "ws/plan.yaml: is 2097152 bytes long; the limit is 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Load(folder(tt.files), options()); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
