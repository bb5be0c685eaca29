package mailchimp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// received is when the goldens' requests come: ten seconds after they were signed.
var received = time.Unix(1795166110, 0)

// opened gives a connection that receives, with changes to its configuration.
func opened(t *testing.T, change func(*connectors.Config)) *Connector {
	t.Helper()
	cfg := connectors.Config{
		ID:        "newsletter",
		Instance:  "instance-1",
		PublicURL: "https://bridge.example.com/hooks/newsletter",
		Settings:  map[string]string{},
		Secrets: map[string][]secret.Text{
			secretSigning:       {secret.New("signing-secret-of-the-example")},
			secretTransactional: {secret.New("transactional-key-of-the-example")},
		},
		Now: func() time.Time { return received },
	}
	if change != nil {
		change(&cfg)
	}
	c, err := Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*Connector)
}

// request reads request.http: a line with method and target, headers, an
// empty line, the body without the file's last line break.
func request(t *testing.T, file string) *connectors.Request {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read the golden: %v", err)
	}
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	r := &connectors.Request{
		Method: method, URL: "https://bridge.example.com" + target,
		Header: http.Header{}, Body: bytes.TrimSuffix(body, []byte("\n")), Received: received,
	}
	target, r.Query, _ = strings.Cut(target, "?")
	r.Path = strings.TrimPrefix(target, "/hooks/newsletter")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// seen is a raw event as the goldens show it.
type seen struct {
	Type, At, Format, Body, Dedupe string
	Written                        []connectors.Field `json:",omitempty"`
	Broken                         string             `json:",omitempty"`
}

func shown(e connectors.RawEvent) seen {
	s := seen{Type: e.Type, Format: e.Format, Body: string(e.Body), Dedupe: hex.EncodeToString(e.Dedupe[:6]), Written: e.Written, Broken: e.Broken}
	if e.At != 0 {
		s.At = e.At.Time().Format(time.RFC3339)
	}
	return s
}

// TestReceive compares every request under testdata/receive with its golden.
func TestReceive(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/receive/*/request.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	c := opened(t, func(cfg *connectors.Config) {
		cfg.Settings[fieldAPIChanges] = "on"
		cfg.Push.Traits = map[string]string{"COMPANY": "company"}
	})
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			receipt, err := c.Receive(request(t, file))
			if err != nil {
				t.Fatalf("receive: %v", err)
			}
			if receipt.Reply.Status != 0 && receipt.Reply.Status != http.StatusOK {
				t.Errorf("reply %d", receipt.Reply.Status)
			}
			got := []seen{}
			for _, e := range receipt.Events {
				got = append(got, shown(e))
			}
			golden(t, filepath.Join(dir, "want.json"), got)
		})
	}
}

// golden compares a value with a file, or rewrites the file.
func golden(t *testing.T, file string, got []seen) {
	t.Helper()
	if *update {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read the golden: %v", err)
	}
	want := []seen{}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestEveryTypeHasAGolden holds the descriptor's list of events against the goldens.
func TestEveryTypeHasAGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/receive/*/want.json")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var events []seen
		if err := json.Unmarshal(text, &events); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, e := range events {
			found[e.Type] = found[e.Type] || e.Broken == ""
		}
	}
	for _, e := range Vendor().Descriptor.Events {
		if !found[e.Type] {
			t.Errorf("no golden shows a good %s", e.Type)
		}
	}
}

// TestEchoFieldsOnlyWhereAPIChangesComeBack: what we wrote must not explain
// away a person's own change where the vendor never repeats our writes.
func TestEchoFieldsOnlyWhereAPIChangesComeBack(t *testing.T) {
	t.Parallel()
	receipt, err := opened(t, nil).Receive(request(t, "testdata/receive/profile/request.http"))
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	if w := receipt.Events[0].Written; w != nil {
		t.Errorf("written %v, want none", w)
	}
}

// TestZone reads fired_at in the zone of the setting.
func TestZone(t *testing.T) {
	t.Parallel()
	c := opened(t, func(cfg *connectors.Config) { cfg.Settings[fieldZone] = "America/New_York" })
	receipt, err := c.Receive(request(t, "testdata/receive/subscribe/request.http"))
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	if got := receipt.Events[0].At.Time().Format(time.RFC3339); got != "2026-11-20T14:15:00Z" {
		t.Errorf("at %s", got)
	}
}

// TestDedupe: two deliveries of one event are one, two events of one second are two.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := opened(t, nil)
	body := "type=profile&fired_at=2026-11-20+09%3A15%3A00&data%5Blist_id%5D=c4d5e6f7a8&data%5Bid%5D=8f31c2a7d0&data%5Bmerges%5D%5BFNAME%5D="
	first, again, other := c.audienceEvent([]byte(body+"Dana")), c.audienceEvent([]byte(body+"Dana")), c.audienceEvent([]byte(body+"Dan"))
	if first.Dedupe != again.Dedupe {
		t.Error("the same delivery has two keys")
	}
	if first.Dedupe == other.Dedupe {
		t.Error("two changes within a second have one key")
	}
}
