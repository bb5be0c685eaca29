package catalog

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/mapping"
)

// others are folders beside the vendors, with the reason why they are none.
var others = map[string]string{
	"catalog":       "lists the vendors",
	"connectortest": "the suite that all vendors pass",
	"standin":       "what the stand-ins share",
	"testdata":      "inputs of tests",
}

// TestEveryVendorFolderIsListed compares the folders with the catalogue.
func TestEveryVendorFolderIsListed(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var folders, ids, listed []string
	for _, e := range entries {
		if e.IsDir() && others[e.Name()] == "" {
			folders = append(folders, e.Name())
		}
	}
	for _, v := range All() {
		ids = append(ids, v.Descriptor.ID)
		listed = append(listed, strings.ReplaceAll(v.Descriptor.ID, "-", ""))
	}
	if !slices.IsSorted(ids) {
		t.Errorf("the catalogue is not in order: %v", ids)
	}
	slices.Sort(listed)
	if diff := cmp.Diff(folders, listed); diff != "" {
		t.Errorf("run make generate; vendors (-folders +catalogue):\n%s", diff)
	}
}

// TestEveryVendorIsWhole looks for all that a vendor brings along.
func TestEveryVendorIsWhole(t *testing.T) {
	t.Parallel()
	vocabulary := plans.Vocabulary()
	for _, v := range All() {
		t.Run(v.Descriptor.ID, func(t *testing.T) {
			t.Parallel()
			d := v.Descriptor
			if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(d.ID) {
				t.Errorf("id %q", d.ID)
			}
			if d.Category != strings.ToLower(d.Category) || d.Category == "" || !strings.HasSuffix(d.Summary, ".") {
				t.Errorf("category %q, summary %q", d.Category, d.Summary)
			}
			if len(d.Events) == 0 || len(d.Limits) == 0 || len(d.Links) == 0 {
				t.Error("events, limits or links are missing")
			}
			if len(d.Guide) < 500 || !strings.HasPrefix(string(d.Guide), "# ") {
				t.Error("guide.md does not begin with a title or is hardly a guide")
			}
			c, err := connectors.CapabilitiesOf(v)
			if err != nil {
				t.Fatal(err)
			}
			if !c.Source && !c.Destination && !c.Poller {
				t.Error("it neither receives nor pushes")
			}
			rules, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: d.ID, Connector: d.ID})
			if err != nil {
				t.Fatal(err)
			}
			if len(mapping.RunTests(rules)) == 0 {
				t.Error("rules.yaml has no tests")
			}
			for _, name := range rules.Events() {
				if _, known := vocabulary[name]; !known {
					t.Errorf("the rules emit %s, which the vocabulary does not have", name)
				}
			}
			goldens(t, filepath.Join("..", strings.ReplaceAll(d.ID, "-", "")), c)
		})
	}
}

// goldens looks for golden cases of each direction, and the conformance test.
func goldens(t *testing.T, dir string, c connectors.Capabilities) {
	t.Helper()
	found := map[string]int{}
	err := filepath.WalkDir(filepath.Join(dir, "testdata"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "want.json" {
			found[filepath.Base(filepath.Dir(filepath.Dir(path)))]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Source && found["receive"] == 0 || c.Destination && found["push"] == 0 {
		t.Errorf("golden cases by subject: %v", found)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	holds := func(piece string) bool {
		return slices.ContainsFunc(tests, func(path string) bool {
			text, err := os.ReadFile(path)
			return err == nil && strings.Contains(string(text), piece)
		})
	}
	if !holds("connectortest.Run(") {
		t.Error("no test runs the conformance suite")
	}
	if c.Source && !holds("Vector") && !holds("BodyUnsigned: true") {
		t.Error("no test with Vector in its name shows a signature, and no case of the suite says BodyUnsigned: that the vendor signs nothing")
	}
	if c.Source && !holds("func Fuzz") {
		t.Error("no fuzz target meets what the vendor sends")
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, v := range All() {
		if got, ok := Find(v.Descriptor.ID); !ok || got.Descriptor != v.Descriptor {
			t.Errorf("Find(%q) = %v", v.Descriptor.ID, ok)
		}
	}
	if _, ok := Find("no-such-vendor"); ok {
		t.Error("found a vendor that is not there")
	}
}

// TestDocsAreFresh compares docs/connectors with what go generate would write.
func TestDocsAreFresh(t *testing.T) {
	t.Parallel()
	want, err := Docs()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	paths, err := filepath.Glob(filepath.Join("..", "..", "docs", "connectors", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(path)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/connectors is stale; run go generate ./connectors/catalog (-want +got):\n%s", diff)
	}
}

func TestDemoteLeavesCodeAlone(t *testing.T) {
	t.Parallel()
	got := demote("# A\n\n```sh\n# a comment\n```\n## B")
	if want := "## A\n\n```sh\n# a comment\n```\n### B\n"; got != want {
		t.Errorf("demote = %q, want %q", got, want)
	}
}
