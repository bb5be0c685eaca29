package salesforce_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/mapping"
)

// fetch asks until nothing more waits and gives what was not seen before.
func fetch(t *testing.T, c *salesforce.Connector, cursor string, seen map[[32]byte]bool) ([]connectors.RawEvent, string) {
	t.Helper()
	var events []connectors.RawEvent
	for range 10 {
		got, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("fetch: %v", err)
		}
		for _, e := range got.Events {
			if !seen[e.Dedupe] {
				seen[e.Dedupe] = true
				events = append(events, e)
			}
		}
		if cursor = got.Cursor; !got.More {
			return events, cursor
		}
	}
	t.Fatal("there is always more")
	return nil, ""
}

func TestFetchTellsOfDeletedRecords(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	seen := map[[32]byte]bool{}
	long, short, lead, kept := v.contact("long@example.com"), v.contact("a@example.com"), v.lead("b@example.com"), v.contact("c@example.com")
	events, cursor := fetch(t, c, "", seen)
	if len(events) != 0 {
		t.Fatalf("at first: %+v", events)
	}
	v.Remove(short)
	v.Remove(lead)
	v.Merge(long, kept)
	events, cursor = fetch(t, c, cursor, seen)
	rules, err := mapping.Compile("rules.yaml", salesforce.Vendor().Descriptor.Rules, mapping.Options{Connection: "crm", Connector: "salesforce"})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		out := rules.Apply(&mapping.Input{Type: e.Type, Raw: e.Body, At: e.At, Dedupe: e.Dedupe[:]})
		if out.Err != nil || len(out.Events) != 1 {
			t.Fatalf("%s: %v, %v", e.Body, out.Events, out.Err)
		}
		var who []string
		for _, k := range out.Events[0].Identity {
			who = append(who, k.Value)
		}
		told = append(told, e.At.Time().Format("15:04:05 ")+string(out.Events[0].Name)+" "+strings.Join(who, " "))
	}
	want := []string{"09:20:01 Contact:Deleted " + short, "09:20:03 Identity:Merged " + long + " " + kept, "09:20:02 Contact:Deleted " + lead}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if events, _ = fetch(t, c, cursor, seen); len(events) != 0 {
		t.Errorf("again: %+v", events)
	}
}

func TestFetchFailsAndIsSwitchedOff(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/queryAll") {
			reply(w, 200, `{"done":true}`)
			return true
		}
		return false
	})
	var e *connectors.PushError
	if _, err := c.Fetch(t.Context(), ""); !errors.As(err, &e) || e.Reason != connectors.ReasonBadAnswer {
		t.Errorf("fetch: %v", err)
	}
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/queryAll") {
			reply(w, 200, `{"done":true,"records":[{"Id":7},{"Id":"0035g0000000001AAA","SystemModstamp":"soon"}]}`)
			return true
		}
		return false
	})
	got, err := c.Fetch(t.Context(), "{")
	if err != nil || len(got.Events) != 4 || got.Events[0].Broken == "" || got.Events[1].Broken != "" || got.Events[1].At != 0 {
		t.Errorf("odd records: %+v, %v", got, err)
	}
	for name, change := range map[string]func(*connectors.Config){
		"by setting":          func(cfg *connectors.Config) { cfg.Settings["read_deletions"] = "off" },
		"without credentials": func(cfg *connectors.Config) { cfg.Push.Enabled = false; delete(cfg.Secrets, "client_secret") },
	} {
		c, v := start(t, change)
		if got, err := c.Fetch(t.Context(), "x"); err != nil || got.Cursor != "x" || got.More || len(v.took()) != 0 || c.Interval() != 15*time.Minute {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// The organization's requests are shared; the last tenth is left to others.
func TestQuotaIsLeftToOthers(t *testing.T) {
	t.Parallel()
	at := now
	c, v := start(t, func(cfg *connectors.Config) { cfg.Now = func() time.Time { return at } })
	v.contact("dana@example.com")
	push(t, c, person(1, "dana@example.com", "Lead"))
	v.Use(4500)
	push(t, c, person(1, "dana@example.com", "Customer")) // its first answer tells
	v.took()
	at = at.Add(time.Minute)
	_, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Trial")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || !e.Retryable || e.RetryAfter != 14*time.Minute || len(v.took()) != 0 {
		t.Errorf("error %+v after %v", e, v.took())
	}
	_, read := c.Read(t.Context(), nil)
	_, list := c.List(t.Context(), "")
	_, enrich := c.Enrich(t.Context(), nil)
	_, deleted := c.Fetch(t.Context(), "")
	for i, err := range []error{read, list, enrich, deleted} {
		if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || !strings.Contains(e.Message, "4500") {
			t.Errorf("error %d: %v", i, err)
		}
	}
	if said, err := c.Check(t.Context()); err != nil || !strings.Contains(said, "500 of 5000") {
		t.Errorf("check: %q, %v", said, err)
	}
	v.Use(4000)
	at = at.Add(15 * time.Minute)
	if got := push(t, c, person(1, "dana@example.com", "Trial"))[0]; outcome(got) != "ok" {
		t.Errorf("later: %+v", got)
	}
}

// A mass deletion leaves more records with one time than a look reads at once:
// the rest is read from the last id on, and none is left out.
func TestFetchPagesThroughOneSecond(t *testing.T) {
	t.Parallel()
	const all = 12_345
	c, v := start(t, func(cfg *connectors.Config) { cfg.Settings["objects"] = "contacts" })
	last := regexp.MustCompile(`SystemModstamp >= 2026-11-20T09:19:30\.000Z AND \(SystemModstamp > 2026-11-20T09:19:30\.000Z OR Id > '([^']+)'\) ORDER BY SystemModstamp,Id LIMIT 10000$`)
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/queryAll") {
			return false
		}
		after := ""
		if m := last.FindStringSubmatch(r.URL.Query().Get("q")); m != nil {
			after = m[1]
		}
		var rows []string
		for i := 0; i < all && len(rows) < 10_000; i++ {
			if id := fmt.Sprintf("0035g%010dAAA", i); id > after {
				rows = append(rows, fmt.Sprintf(`{"Id":%q,"MasterRecordId":null,"SystemModstamp":"2026-11-20T09:19:30.000+0000"}`, id))
			}
		}
		reply(w, http.StatusOK, fmt.Sprintf(`{"totalSize":%d,"done":true,"records":[%s]}`, len(rows), strings.Join(rows, ",")))
		return true
	})
	seen := map[[32]byte]bool{}
	events, cursor := fetch(t, c, "", seen)
	if len(events) != all {
		t.Errorf("%d events, want %d", len(events), all)
	}
	if strings.Contains(cursor, "after") {
		t.Errorf("the cursor is still in the middle: %s", cursor)
	}
}
