package main

import (
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryCommandIsDescribed wants each command to declare its flags before it
// does anything: help, completion and the manual are made of that.
func TestEveryCommandIsDescribed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range commands() {
		asked := 0
		err := c.run(t.Context(), &program{env: map[string]string{}, inspect: func(*flag.FlagSet) { asked++ }}, nil)
		if asked != 1 || !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: its flags were declared %d times, then %v; it must begin with program.parse", c.name, asked, err)
		}
		if names[c.name] {
			t.Errorf("there are two commands %q", c.name)
		}
		names[c.name] = true
		if c.summary == "" || len(strings.Fields(c.name)) > 2 {
			t.Errorf("%q: wants a summary and a name of at most two words", c.name)
		}
		for _, f := range describe(c).flags {
			if f.Usage == "" {
				t.Errorf("%s: -%s does not say what it means", c.name, f.Name)
			}
		}
	}
}

// TestCommandsPageIsFresh compares docs/commands.md with the commands.
func TestCommandsPageIsFresh(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(page), commandsPage(describeAll())); diff != "" {
		t.Errorf("docs/commands.md is stale; 'go generate ./cmd/stagebridge' writes it (-file +commands):\n%s", diff)
	}
}

// TestManualPage holds every command and flag, and roff reads it without a
// complaint where there is one.
func TestManualPage(t *testing.T) {
	t.Parallel()
	got := stagebridge(t, nil, "manual")
	if got.code != exitOK {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	for _, d := range describeAll() {
		if !strings.Contains(got.stdout, "\n.SS "+manText(d.name)+"\n") {
			t.Errorf("%s is not in it", d.name)
		}
		for _, f := range d.flags {
			if !strings.Contains(got.stdout, "\n.BI "+manText("-"+f.Name)+" ") {
				t.Errorf("%s -%s is not in it", d.name, f.Name)
			}
		}
	}
	if !strings.Contains(got.stdout, `STAGEBRIDGE_SECRET_KEY_FILE names a file`) {
		t.Error("the settings are not in it")
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		return
	}
	c := exec.CommandContext(t.Context(), groff, "-man", "-ww", "-z", "-Kutf8")
	c.Stdin = strings.NewReader(got.stdout)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}

func TestManualRefuses(t *testing.T) {
	t.Parallel()
	if got := stagebridge(t, nil, "manual", "-format", "pdf"); got.code != exitUsage || !strings.Contains(got.stderr, "want man or markdown") {
		t.Errorf("exit code %d, errors %q", got.code, got.stderr)
	}
	if got := stagebridge(t, nil, "completion", "tcsh"); got.code != exitUsage || !strings.Contains(got.stderr, "wants one of bash, zsh") {
		t.Errorf("exit code %d, errors %q", got.code, got.stderr)
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		before string
		want   []string
		never  []string
	}{
		{"", []string{"serve", "plan", "rules", "help"}, []string{"plan check", "check", "-role"}},
		{"plan", []string{"check", "preview"}, []string{"plan", "serve"}},
		{"help", []string{"serve", "plan"}, []string{"help"}},
		{"help plan", []string{"check"}, []string{"serve"}},
		{"serve", []string{"-role"}, []string{"serve"}},
		{"serve -role", nil, []string{"-role"}},
		{"replay -all", []string{"-dry-run", "-connection"}, nil},
		{"completion", []string{"bash", "powershell"}, nil},
		{"report", []string{"funnel", "-format"}, nil},
		{"report -format csv", []string{"funnel"}, nil},
		{"nonsense", nil, []string{"serve"}},
	} {
		found := map[string]bool{}
		for _, c := range candidates(strings.Fields(tt.before)) {
			found[c.word] = true
		}
		for _, w := range tt.want {
			if !found[w] {
				t.Errorf("%q: %s is missing in %v", tt.before, w, slices.Sorted(maps.Keys(found)))
			}
		}
		for _, w := range tt.never {
			if found[w] {
				t.Errorf("%q: %s is offered", tt.before, w)
			}
		}
		if tt.want == nil && len(found) > 0 {
			t.Errorf("%q: %v are offered", tt.before, slices.Sorted(maps.Keys(found)))
		}
	}
}

// TestCompletionInBash has bash itself complete, with this test in the place of
// the program.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Log("there is no bash")
		return
	}
	script := stagebridge(t, nil, "completion", "bash").stdout
	asked := filepath.Join(t.TempDir(), "stagebridge")
	if err := os.WriteFile(asked, []byte("#!"+bash+"\necho \"$*\" >&3; printf 'plan\\tx\\n-role\\ty\\npull\\tz\\n'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ words, want string }{
		{`"plan" "p"`, "completion -words -- plan\nplan\npull\n"},
		{`"pl"`, "completion -words --\nplan\n"},
		{`"serve" "-"`, "completion -words -- serve\n-role\n"},
		{`"serve" ""`, "completion -words -- serve\nplan\npull\n"},
	} {
		c := exec.CommandContext(t.Context(), bash, "--norc", "-c", script+`
exec 3>&1
COMP_WORDS=("$1" `+tt.words+`); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_stagebridge; printf '%s\n' "${COMPREPLY[@]}"`, "bash", asked)
		out, err := c.CombinedOutput()
		if err != nil || string(out) != tt.want {
			t.Errorf("%s: %v, %q, want %q", tt.words, err, out, tt.want)
		}
	}
}
