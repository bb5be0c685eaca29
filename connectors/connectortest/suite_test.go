package connectortest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// defectVariable makes TestToy run the toy with one defect, in a process of its
// own, since a test that must fail cannot run in this one.
const defectVariable = "CONNECTORTEST_DEFECT"

// TestToy passes with the sound toy.
func TestToy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	defect := os.Getenv(defectVariable)
	golden, sign := filepath.Join(dir, "receive", "made"), "Test-Sign: current\n"
	switch defect {
	case "no goldens":
		golden = filepath.Join(dir, "elsewhere", "made")
	case "unsigned golden":
		sign = ""
	}
	if err := os.MkdirAll(golden, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"request.http": "POST /hooks/toy-test HTTP/1.1\nHost: bridge.example.com\n" + sign + "\n{\"email\":\"ann@example.com\"}\n",
		"want.json":    toyGolden,
	} {
		if err := os.WriteFile(filepath.Join(golden, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Run(t, toyCase(defect, dir))
}

const toyGolden = `{
  "events": [
    {
      "type": "made",
      "body": {
        "email": "ann@example.com"
      },
      "mapped": [
        {
          "event": "Contact:Created",
          "identity": [
            "email:ann@example.com"
          ]
        }
      ]
    }
  ]
}
`

// TestTheSuiteBites runs the suite on a toy with each defect: it must fail,
// and where it says so.
func TestTheSuiteBites(t *testing.T) {
	t.Parallel()
	if os.Getenv(defectVariable) != "" {
		t.Skip("this is the process that is to fail")
	}
	for defect, where := range map[string]string{
		"help":                    "descriptor",
		"lenient":                 "settings/without_base_url",
		"consents":                "settings/consent_in_email_opt_in",
		"rules":                   "rules",
		"vocabulary":              "rules",
		"any signature":           "source/wrong",
		"unsigned":                "source/missing",
		"stale":                   "source/stale",
		"doubled":                 "source/doubled",
		"half signed":             "source/altered_byte",
		"rotation":                "source/rotation",
		"dedupe":                  "source/same_delivery_twice",
		"refusal leaks":           "source/wrong",
		"log leaks":               "source",
		"changes the body":        "source/good",
		"refuses the undecodable": "source/hostile/truncated_JSON",
		"drops the undecodable":   "source/hostile/truncated_JSON",
		"short":                   "destination/good_day",
		"order":                   "destination/partial",
		"opts in":                 "destination/good_day",
		"unchanged":               "destination/unchanged/nothing_differs",
		"result leaks":            "destination/status/400",
		"swallows":                "destination/status/500",
		"gives up":                "destination/status/500",
		"no pause":                "destination/status/Retry-After",
		"no reason":               "destination/faults/reset",
		"any answer":              "destination/faults/invalid_JSON",
		"check":                   "destination/check",
		"creates":                 "destination/create/off",
		"never creates":           "destination/create/on",
		"swallows a 503":          "destination/routes/PUT_/people/{email}_down_with_503",
		"swallows a late 401":     "destination/routes/PUT_/people/{email}_refused_after_1",
		"empty answer":            "destination/faults/200_without_a_body",
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			only := "^TestToy$"
			for _, part := range strings.SplitN(where, "/", 3)[:min(2, strings.Count(where, "/")+1)] {
				only += "/^" + part + "$"
			}
			out := failing(t, defect, "-test.run="+only)
			if want := "--- FAIL: TestToy/" + where + " "; !strings.Contains(out, want) {
				t.Errorf("no line %q in:\n%s", want, out)
			}
		})
	}
}

// TestTheSuiteSays holds what a person reads when a case is not whole, or when
// one failure would bring many.
func TestTheSuiteSays(t *testing.T) {
	t.Parallel()
	if os.Getenv(defectVariable) != "" {
		t.Skip("this is the process that is to fail")
	}
	for defect, want := range map[string][]string{
		"no goldens":      {"holds no golden case; wanted is at least one of", "receive/<case>/request.http", "push/<case>/updates.json"},
		"unsigned golden": {"has no header Test-Sign"},
		"short":           {"--- FAIL: TestToy/destination/good_day ", "--- SKIP: TestToy/destination/status ", "on a good day the push fails already"},
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			out := failing(t, defect, "-test.run=^TestToy$/^(destination|goldens)$", "-test.v", "-update")
			for _, text := range want {
				if !strings.Contains(out, text) {
					t.Errorf("no text %q in:\n%s", text, out)
				}
			}
		})
	}
}

// failing runs TestToy with a defect in a process of its own, which must fail,
// and gives what it wrote.
func failing(t *testing.T, defect string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], append(args, "-test.timeout=60s")...)
	c.Env = append(os.Environ(), defectVariable+"="+defect)
	out, err := c.CombinedOutput()
	if err == nil {
		t.Fatalf("the suite passed:\n%s", out)
	}
	return string(out)
}
