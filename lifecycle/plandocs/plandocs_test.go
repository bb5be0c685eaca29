package plandocs

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
)

var update = flag.Bool("update", false, "rewrite the files under testdata")

func parsed(t *testing.T, src string) *lifecycle.Plan {
	t.Helper()
	plan, err := lifecycle.ParsePlan("plan.yaml", []byte(src), plans.Vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestPage compares both forms with what a person has read.
func TestPage(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plan := parsed(t, string(src)).WithVersion(7)
	senders := []Sender{{"shop", "order paid", "Order:Completed"}, {"shop", "order paid", "Order:Completed"}, {"crm", "won", "Deal:Won"}, {"crm", "gift", "Gift:Sent"}}
	for file, write := range map[string]func(*strings.Builder) error{
		"want.md":   func(b *strings.Builder) error { return Markdown(b, plan, senders) },
		"want.html": func(b *strings.Builder) error { return HTML(b, plan, senders) },
	} {
		var b strings.Builder
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got); -update rewrites it:\n%s", file, diff)
		}
	}
}

// TestNamesAreNoMarkup: a name cannot become markup in either form.
func TestNamesAreNoMarkup(t *testing.T) {
	t.Parallel()
	plan := parsed(t, "name: \"<b>*x*</b>\"\nstages: [ { name: \"[a](http://example.com)|\" } ]\nevents: { \"Gift:<i>\": \"line\\n# two <script>\" }\n")
	var md, page strings.Builder
	if err := Markdown(&md, plan, []Sender{{"web", "<img>", "Gift:<i>"}}); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, plan, []Sender{{"web", "<img>", "Gift:<i>"}}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<b>", "<i>", "<script>", "<img>"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page holds %s", bad)
		}
		if strings.Contains(strings.ReplaceAll(md.String(), "\\<", "&lt;"), bad) {
			t.Errorf("the Markdown holds %s", bad)
		}
	}
	if strings.Contains(strings.ReplaceAll(md.String(), "\\]", ""), "](http") || strings.Contains(md.String(), "\n# two") {
		t.Errorf("a name became markup:\n%s", md.String())
	}
}

// TestReadyMadePlans: every plan that comes with the program has a page in
// which nothing is left untold.
func TestReadyMadePlans(t *testing.T) {
	t.Parallel()
	for _, name := range plans.Names() {
		var b strings.Builder
		if err := Markdown(&b, plans.MustParse(name), nil); err != nil {
			t.Fatal(err)
		}
		for _, untold := range []string{"&&", "\\|\\|", "traits.", "()", "%!"} {
			if strings.Contains(b.String(), untold) {
				t.Errorf("%s: the page holds %q", name, untold)
			}
		}
	}
}
