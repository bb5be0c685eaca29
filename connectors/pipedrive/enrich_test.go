package pipedrive_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
)

func dealOf(person string) connectors.Lookup {
	return connectors.Lookup{Type: "deal.change", Body: []byte(`{"data":{"id":501,"person_id":` + person + `,"stage_id":2,"pipeline_id":1},"meta":{"entity":"deal","action":"change","version":"2.0"}}`)}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := strconv.FormatInt(v.AddPerson("Dana Reed", "dana@example.com"), 10)
	lee := strconv.FormatInt(v.AddPerson("Lee", "lee@example.com"), 10)
	c := connect(t, v)
	lead := connectors.Lookup{Type: "lead.create", Body: []byte(`{"data":{"id":"4ad0","person_id":` + lee + `},"meta":{"entity":"lead","action":"create","version":"2.0"}}`)}
	records, err := c.Enrich(t.Context(), []connectors.Lookup{dealOf(dana), lead, dealOf("99999"), {Type: "deal.change", Body: []byte("{")}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"contacts":[{"email":"dana@example.com","id":"` + dana + `","name":"Dana Reed"}],"id":"501","pipeline":"Sales","stage":"Proposal made"}`,
		`{"contacts":[{"email":"lee@example.com","id":"` + lee + `","name":"Lee"}],"id":"4ad0"}`,
		`{"contacts":[],"id":"501","pipeline":"Sales","stage":"Proposal made"}`,
		`{"contacts":[],"id":""}`,
	}
	for i, r := range records {
		if diff := cmp.Diff(want[i], string(r.JSON)); diff != "" || r.Err != nil || !json.Valid(r.JSON) {
			t.Errorf("record %d: %v (-want +got):\n%s", i, r.Err, diff)
		}
	}
	if at := records[0].ModifiedAt.Time(); !at.Equal(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("modified at %v", at)
	}
	calls := len(v.requests)
	if _, err := c.Enrich(t.Context(), []connectors.Lookup{dealOf(dana), dealOf(lee)}); err != nil || len(v.requests) != calls+1 {
		t.Errorf("again: %v and %d calls, want one for both people and none for the names", err, len(v.requests)-calls)
	}
}

// TestEnrichWithoutDeals: a token that may not read stages leaves out their
// names, one that is away makes the events wait.
func TestEnrichWithoutDeals(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{http.StatusForbidden: true, http.StatusServiceUnavailable: false} {
		v := newVendor(t)
		dana := strconv.FormatInt(v.AddPerson("Dana Reed", "dana@example.com"), 10)
		c := connect(t, guarded(t, v, "/api/v2/stages", status))
		records, err := c.Enrich(t.Context(), []connectors.Lookup{dealOf(dana)})
		if (err == nil) != want || want && !strings.Contains(string(records[0].JSON), "dana@example.com") {
			t.Errorf("%d: %v, %v", status, records, err)
		}
	}
}
