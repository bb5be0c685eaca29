package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestPlanCommands walks through a plan's life at the command line, without a
// server: each step says what it types and what must be told.
func TestPlanCommands(t *testing.T) {
	t.Parallel()
	env := settings(t, nil)
	folder := files(t, map[string]string{
		"a.yaml": "name: a\nstages:\n  - { name: Visit }\n  - { name: Lead, when: 'seen(\"Lead:Qualified\")' }\n",
		"b.yaml": "name: a\nstages:\n  - { name: Visit }\n  - { name: Lead, when: 'seen(\"Demo:Requested\")' }\nsegments:\n  fresh: within(\"Demo:Requested\", \"7d\")\n",
		"bad":    "name: a\nstages: []\n",
	})
	for _, c := range []struct {
		args string
		code int
		want []string
	}{
		{"plan versions", exitOK, []string{`(?m)^1 .* stagebridge .* in force`}},
		{"plan publish -reason shorter FOLDER/a.yaml", exitOK, []string{`version 2: everybody is under version 2; 0 people are there`}},
		{"plan diff FOLDER/b.yaml", exitOK, []string{
			`changed  stages / Lead / when: seen\("Lead:Qualified"\)\n      now seen\("Demo:Requested"\)`,
			`added    segments: \{ fresh: within\("Demo:Requested", "7d"\) \}`, `(?m)^-4 `}},
		{"plan preview -percent 5 FOLDER/b.yaml", exitOK, []string{`0 of 0 people would change`}},
		{"plan publish -percent 5 FOLDER/b.yaml", exitOK, []string{`version 3: 5 % of the people are under version 3, the others under 2`}},
		{"plan publish FOLDER/a.yaml", exitError, []string{`being rolled out`}},
		{"plan rollout", exitOK, []string{`^5 % of the people are under version 3, the others under 2\n$`}},
		{"plan versions", exitOK, []string{`(?m)^3 .* rolling out`, `(?m)^2 .* in force +shorter$`}},
		{"plan rollout -percent 25", exitOK, []string{`25 % of the people`}},
		{"plan rollout -percent 25 -withdraw", exitUsage, []string{`not both`}},
		{"plan rollback", exitOK, []string{`everybody is under version 2`}},
		{"plan rollout -withdraw", exitError, []string{`no plan is being rolled out`}},
		{"plan rollback -reason again 1", exitOK, []string{`back to version 1, as version 4: everybody is under version 4`}},
		{"plan diff 1 4", exitOK, []string{`^nothing differs\n$`}},
		{"plan diff 2", exitOK, []string{`added    stages / Subscriber`}},
		{"plan diff 1 99", exitError, []string{`no such version`}},
		{"plan publish -percent 5 FOLDER/b.yaml", exitOK, []string{`version 5: 5 % of the people`}},
		{"plan rollback -reason fell 2", exitOK, []string{`back to version 2, as version 6: everybody is under version 6`}},
		{"plan versions", exitOK, []string{`(?m)^6 .* in force +fell$`}},
		{"plan rollback 99", exitError, []string{`no version 99`}},
		{"plan rollback x", exitUsage, nil},
		{"plan publish -percent 0 FOLDER/a.yaml", exitUsage, []string{`0.01 to 100`}},
		{"plan publish FOLDER/bad", exitError, nil},
		{"rules versions nobody", exitError, []string{`no connection "nobody"`}},
		{"rules diff nobody 0 1", exitError, []string{`no connection "nobody"`}},
	} {
		got := stagebridge(t, env, strings.Fields(strings.ReplaceAll(c.args, "FOLDER", folder))...)
		if got.code != c.code {
			t.Fatalf("%s: exit code %d, want %d\n%s%s", c.args, got.code, c.code, got.stdout, got.stderr)
		}
		for _, want := range c.want {
			if !regexp.MustCompile(want).MatchString(got.stdout + got.stderr) {
				t.Errorf("%s: %q is not told:\n%s%s", c.args, want, got.stdout, got.stderr)
			}
		}
	}
}
