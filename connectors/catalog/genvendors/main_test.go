package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestList is a vendor with a stand-in, one without, and folders that are no
// vendors.
func TestList(t *testing.T) {
	t.Parallel()
	text, err := list(fstest.MapFS{
		"zeta/connector.yaml":       {},
		"zeta/testdata/x.go":        {},
		"acme/connector.yaml":       {},
		"acme/acmesim/acmesim.go":   {},
		"standin/server.go":         {},
		"connectortest/run.go":      {},
		"acme/acmesim/testdata/a":   {},
		"catalog/connector.yaml.md": {},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"\t\"github.com/stagebridge/stagebridge/connectors/acme\"\n",
		"\t\"github.com/stagebridge/stagebridge/connectors/acme/acmesim\"\n",
		"\t\t{acme.Vendor, func() standin.Simulated { return acmesim.New() }},\n\t\t{zeta.Vendor, nil},\n\t}\n",
	} {
		if !strings.Contains(string(text), line) {
			t.Errorf("the list lacks %q:\n%s", line, text)
		}
	}
	for _, word := range []string{"connectortest", "catalog.", "zetasim"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the list names %q:\n%s", word, text)
		}
	}
}

// TestListWantsVendors holds that a wrong folder does not empty the catalogue.
func TestListWantsVendors(t *testing.T) {
	t.Parallel()
	if text, err := list(fstest.MapFS{"standin/server.go": {}}); err == nil {
		t.Errorf("no vendor gives %s", text)
	}
	for _, args := range [][]string{nil, {"one"}, {t.TempDir(), "zz_vendors.go"}} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) gives no error", args)
		}
	}
}

// TestTheListIsFresh compares the list with the folders.
func TestTheListIsFresh(t *testing.T) {
	t.Parallel()
	want, err := list(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../zz_vendors.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the list of vendors is stale; run make generate (-want +got):\n%s", diff)
	}
}
