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
	golden := filepath.Join(dir, "receive", "made")
	if err := os.MkdirAll(golden, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"request.http": "POST /hooks/toy-test HTTP/1.1\nHost: bridge.example.com\nTest-Sign: current\n\n{\"email\":\"ann@example.com\"}\n",
		"want.json":    toyGolden,
	} {
		if err := os.WriteFile(filepath.Join(golden, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Run(t, toyCase(os.Getenv(defectVariable), dir))
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
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			only := "^TestToy$"
			for _, part := range strings.SplitN(where, "/", 3)[:min(2, strings.Count(where, "/")+1)] {
				only += "/^" + part + "$"
			}
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+only, "-test.timeout=60s")
			c.Env = append(os.Environ(), defectVariable+"="+defect)
			out, err := c.CombinedOutput()
			if err == nil {
				t.Fatal("the suite passed")
			}
			if want := "--- FAIL: TestToy/" + where + " "; !strings.Contains(string(out), want) {
				t.Errorf("no line %q in:\n%s", want, out)
			}
		})
	}
}
