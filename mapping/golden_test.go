package mapping

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenEvent is a raw event of testdata: body is the vendor's own text.
type goldenEvent struct {
	Type     string            `json:"type"`
	Format   string            `json:"format"`
	Body     string            `json:"body"`
	Headers  map[string]string `json:"headers"`
	Record   json.RawMessage   `json:"record"`
	RecordAt string            `json:"record_at"`
	At       string            `json:"at"`
	Received string            `json:"received"`
}

// goldenWant is what became of one raw event, in words.
type goldenWant struct {
	Matched []string         `json:"matched"`
	Events  []map[string]any `json:"events,omitempty"`
	Error   string           `json:"error,omitempty"`
}

// TestGolden maps the events of each case in testdata by its rules, runs the
// tests in the rules, and compares with want.json. Run with -update to write
// want.json anew, and read the difference.
func TestGolden(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*/rules.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, rules := range cases {
		folder := filepath.Dir(rules)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			rs := compiled(t, string(read(t, rules)), hubspot)
			for _, r := range RunTests(rs) {
				if !r.Passed() {
					t.Errorf("test %q: %v", r.Name, r.Problems)
				}
			}
			var events []goldenEvent
			if err := json.Unmarshal(read(t, filepath.Join(folder, "events.json")), &events); err != nil {
				t.Fatal(err)
			}
			var got []goldenWant
			for _, e := range events {
				got = append(got, e.apply(rs))
			}
			text, err := json.MarshalIndent(got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(folder, "want.json")
			if *update {
				if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(read(t, golden)), string(text)+"\n"); d != "" {
				t.Error(d)
			}
		})
	}
}

func (e *goldenEvent) apply(rs *Ruleset) goldenWant {
	out := rs.Apply(&Input{
		Type: e.Type, Format: e.Format, Raw: []byte(e.Body), Headers: e.Headers, RecordJSON: e.Record,
		RecordAt: instant(e.RecordAt), At: instant(e.At), Received: instant(e.Received), Dedupe: []byte(e.Body),
	})
	w := goldenWant{Matched: out.Matched}
	if out.Err != nil {
		w.Error = out.Err.Error()
	}
	for i := range out.Events {
		w.Events = append(w.Events, inWords(&out.Events[i]))
	}
	return w
}

func instant(s string) lifecycle.Instant {
	at, _ := expression.ParseTime(s)
	return lifecycle.Instant(at)
}

func inWords(e *lifecycle.Event) map[string]any {
	m := map[string]any{"id": e.ID.String(), "event": e.Name, "at": e.At.Time(), "identity": keyTexts(e.Identity)}
	if e.BusinessKey != "" {
		m["key"] = e.BusinessKey
	}
	for _, t := range e.Traits {
		m["trait "+t.Name] = []any{t.Value, t.At.Time()}
	}
	if e.Properties != nil {
		m["properties"] = e.Properties
	}
	if e.Value != nil {
		m["value"] = formatMicros(*e.Value) + " " + e.Value.Currency
	}
	if e.Claim != "" {
		m["stage"] = e.Claim
	}
	return m
}

func keyTexts(keys []lifecycle.Key) []string {
	var texts []string
	for _, k := range keys {
		texts = append(texts, k.String())
	}
	return texts
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
