package marketo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/marketo"
)

// fetchAll follows the cursor until nothing more waits.
func fetchAll(t *testing.T, c *marketo.Connector, cursor string) ([]connectors.RawEvent, string) {
	t.Helper()
	var all []connectors.RawEvent
	for range 50 {
		got, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("fetch: %v", err)
		}
		all, cursor = append(all, got.Events...), got.Cursor
		if !got.More {
			return all, cursor
		}
	}
	t.Fatal("there is always more")
	return nil, ""
}

func told(events []connectors.RawEvent) []string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s %s %t %d", e.Type, e.At.Time().Format(time.TimeOnly), e.NeedsRecord, len(e.Written)))
	}
	return all
}

func TestFetch(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Settings["change_fields"] = "firstName,sb_stage,unsubscribed,noSuchField"
	v.AddField("sb_stage", "string")
	c := open(t, cfg)
	dana := v.AddPerson("dana@example.com", nil)
	v.Log(2, dana, "Contact us")
	v.Log(13, dana, "") // a change of nothing that is watched
	v.Log(1, dana, "Pricing")
	v.Edit(dana, "firstName", "Dana")
	results := connectortest.Push(t, c, person("dana@example.com", "Lead", nil, nil))
	if diff := cmp.Diff([]connectors.Field{{Record: fmt.Sprint(dana), Name: "sb_stage", Value: "Lead"}}, results[0].Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	v.Log(9, dana, "Spring")
	v.Log(37, dana, "Dana Reed")
	events, cursor := fetchAll(t, c, "")
	want := []string{
		"activity.fill_out_form 09:00:00 true 0", "lead.changed 09:00:03 true 0", "lead.changed 09:00:04 true 1",
		"activity.unsubscribe_email 09:00:05 true 0", "lead.deleted 09:00:06 false 0",
	}
	got := told(events)
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("%s was not told", w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("told %v", got)
	}
	for _, e := range events {
		if len(e.Written) > 0 && cmp.Diff(results[0].Written, e.Written) != "" {
			t.Errorf("the change reports %v", e.Written)
		}
	}
	if more, _ := fetchAll(t, c, cursor); len(more) != 0 {
		t.Errorf("told again: %v", told(more))
	}
	v.Log(2, dana, "Again")
	if more, _ := fetchAll(t, c, cursor); len(more) != 1 {
		t.Errorf("after one more: %v", told(more))
	}
}

// TestFetchOverlap: a token that is refused begins again at the time, and what
// is told again has the same key.
func TestFetchOverlap(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	v.Log(2, v.AddPerson("dana@example.com", nil), "Contact us")
	first, _ := fetchAll(t, c, "")
	again, cursor := fetchAll(t, c, `{"since":"2026-11-20T08:00:00Z","tokens":{"activities":"gone","changes":"gone","deleted":"gone"}}`)
	if len(first) != 1 || len(again) != 1 || first[0].Dedupe != again[0].Dedupe {
		t.Errorf("told %v, then %v", told(first), told(again))
	}
	if !strings.Contains(cursor, "2026-11-20T08:55:00Z") {
		t.Errorf("the cursor is %s", cursor)
	}
}

// TestFetchNothing: without polling or credentials nothing is asked.
func TestFetchNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*connectors.Config){
		"off":            func(c *connectors.Config) { c.Settings["poll"] = "false" },
		"no credentials": func(c *connectors.Config) { delete(c.Secrets, "client_secret") },
	} {
		v := newVendor(t)
		cfg := config(v)
		cfg.Push.Enabled = false
		change(&cfg)
		c := open(t, cfg)
		got, err := c.Fetch(t.Context(), "here")
		if err != nil || got.Cursor != "here" || len(got.Events) != 0 || got.More || len(v.took()) != 0 || c.Interval() < time.Second {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestFetchFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, body string
		want       connectors.Reason
	}{
		{"/activities/types.json", coded("606", "slow down"), connectors.ReasonRateLimit},
		{"/activities/pagingtoken.json", `{"success":true}`, connectors.ReasonBadAnswer},
		{"/activities/deletedleads.json", coded("603", "Access denied"), connectors.ReasonForbidden},
		{"/activities/leadchanges.json", `{"success":true,"result":{}}`, connectors.ReasonBadAnswer},
		{"/v1/activities.json", coded("1006", "Field not found"), connectors.ReasonSettings},
	} {
		v := newVendor(t)
		v.failing(http.MethodGet, tt.path, -1, 200, tt.body)
		_, err := open(t, config(v)).Fetch(t.Context(), "")
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != tt.want || !strings.HasPrefix(e.Act, "marketo: ") {
			t.Errorf("%s: %v, want %s", tt.path, err, tt.want)
		}
	}
}

// TestFetchOddRecords: what cannot be read is kept, and keeps nobody from the rest.
func TestFetchOddRecords(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.failing(http.MethodGet, "/v1/activities.json", 1, 200, `{"success":true,"nextPageToken":"x","result":[{"id":1,"leadId":"no"},{"id":2},7,null,{"id":3,"leadId":4,"activityTypeId":99,"activityDate":"2026-11-20T09:00:00+0000"}]}`)
	got, err := open(t, config(v)).Fetch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	broken, seen := 0, map[[32]byte]bool{}
	for _, e := range got.Events {
		seen[e.Dedupe] = true
		if e.Broken != "" {
			broken++
		}
	}
	if last := got.Events[len(got.Events)-1]; broken != 4 || len(seen) != 5 || last.Type != "activity.99" || last.At == 0 {
		t.Errorf("%d broken, %d keys: %v", broken, len(seen), told(got.Events))
	}
}

// TestFetchValuesOfAnyType: a value that is no text spoils neither the record nor
// what is told of our own write.
func TestFetchValuesOfAnyType(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("leadScore", "integer")
	v.failing(http.MethodGet, "/leadchanges.json", 1, 200, `{"success":true,"nextPageToken":"x","result":[{"id":1,"leadId":4,"activityTypeId":13,"activityDate":"2026-11-20T09:00:00Z",`+
		`"fields":[{"name":"leadScore","newValue":45},{"name":"unsubscribed","newValue":true},{"name":"company","newValue":null}],"attributes":[{"name":"Source","value":"Web service API"}]}]}`)
	cfg := config(v)
	cfg.Settings["change_fields"] = "leadScore"
	got, err := open(t, cfg).Fetch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []connectors.Field{{Record: "4", Name: "leadScore", Value: "45"}, {Record: "4", Name: "unsubscribed", Value: "true"}, {Record: "4", Name: "company"}}
	for _, e := range got.Events {
		if e.Type != "lead.changed" {
			continue
		}
		if diff := cmp.Diff(want, e.Written); e.Broken != "" || diff != "" {
			t.Errorf("broken %q, written (-want +got):\n%s", e.Broken, diff)
		}
		return
	}
	t.Errorf("no change was told: %v", told(got.Events))
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddPerson("dana@example.com", map[string]any{"firstName": "Dana", "company": ""})
	cfg := config(v)
	cfg.Settings["read_fields"] = "industry,noSuchField"
	v.AddField("industry", "string")
	c := open(t, cfg)
	lookups := []connectors.Lookup{
		{Type: "activity.open_email", Body: fmt.Appendf(nil, `{"leadId":%d}`, dana)},
		{Type: "activity.open_email", Body: []byte(`{"leadId":7}`)},
		{Type: "activity.open_email", Body: []byte(`nonsense`)},
		{Type: "lead.changed", Body: fmt.Appendf(nil, `{"leadId":%d}`, dana)},
	}
	records, err := c.Enrich(t.Context(), lookups)
	if err != nil {
		t.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(records[0].JSON, &r); err != nil {
		t.Fatal(err)
	}
	if r["email"] != "dana@example.com" || r["firstName"] != "Dana" || r["company"] != nil || len(r["contacts"].([]any)) != 1 || records[0].ModifiedAt == 0 {
		t.Errorf("record %v", r)
	}
	if records[1].JSON != nil || records[2].JSON != nil || string(records[3].JSON) != string(records[0].JSON) {
		t.Errorf("records %v", records)
	}
	got := v.took()
	if len(got) != 2 || !strings.Contains(got[1], "industry") || strings.Contains(got[1], "noSuchField") {
		t.Errorf("%d requests: %v", len(got), got)
	}
	v.failing(http.MethodGet, "/rest/v1/leads.json", -1, 200, coded("611", "System error"))
	if _, err := c.Enrich(t.Context(), lookups); err == nil {
		t.Error("a failure is no answer")
	}
}
