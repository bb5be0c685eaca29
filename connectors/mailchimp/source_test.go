package mailchimp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// received is when requests come: ten seconds after the vectors were signed.
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

// profileBody is a profile event.
const profileBody = "type=profile&fired_at=2026-11-20+09%3A15%3A00&data%5Bemail%5D=Dana%40example.com" +
	"&data%5Bmerges%5D%5BEMAIL%5D=Dana%40example.com&data%5Bmerges%5D%5BSBSTAGE%5D=Customer&data%5Bmerges%5D%5BHOME%5D%5Bcity%5D=Ulm"

// TestEveryTypeHasAGolden holds the descriptor's list of events against the goldens.
func TestEveryTypeHasAGolden(t *testing.T) {
	t.Parallel()
	audience, err := filepath.Glob("testdata/receive/*/want.json")
	if err != nil {
		t.Fatal(err)
	}
	transactional, err := filepath.Glob("testdata/transactional/receive/*/want.json")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range slices.Concat(audience, transactional) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			Events []struct{ Type, Broken string }
		}
		if err := json.Unmarshal(text, &golden); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, e := range golden.Events {
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
	if w := opened(t, nil).audienceEvent([]byte(profileBody)).Written; w != nil {
		t.Errorf("written %v, want none", w)
	}
	on := opened(t, func(cfg *connectors.Config) { cfg.Settings[fieldAPIChanges] = "on" })
	want := []connectors.Field{{Record: "dana@example.com", Name: "SBSTAGE", Value: "Customer"}}
	if diff := cmp.Diff(want, on.audienceEvent([]byte(profileBody)).Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// TestZone reads fired_at in the zone of the setting.
func TestZone(t *testing.T) {
	t.Parallel()
	c := opened(t, func(cfg *connectors.Config) { cfg.Settings[fieldZone] = "America/New_York" })
	if got := c.audienceEvent([]byte(profileBody)).At.Time().Format(time.RFC3339); got != "2026-11-20T14:15:00Z" {
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
