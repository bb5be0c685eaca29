package salesforce_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
	"github.com/stagebridge/stagebridge/secret"
)

func TestEnrich(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Settings["currency"] = "EUR" })
	ann, bo := v.contact("ann@example.com"), v.contact("bo@example.com")
	deal := v.Add(salesforcesim.Record{Object: "Opportunity", Roles: []string{ann, bo}, Fields: map[string]any{"Name": "Big", "Amount": 1200.5, "IsWon": true, "StageName": "Closed Won"}})
	alone := v.Add(salesforcesim.Record{Object: "Opportunity", Fields: map[string]any{"Name": "Alone"}})
	lookups := []connectors.Lookup{
		{Type: "Opportunity", Body: []byte(`<sObject><sf:Name>x</sf:Name><sf:Id>` + deal + `</sf:Id></sObject>`)},
		{Type: "Opportunity", Body: []byte(`{"object":"Opportunity","sObject":{"Id":"` + alone[:15] + `"}}`)},
		{Type: "Opportunity", Body: []byte(`<sObject><sf:Id>0065g00000gonegAAA</sf:Id></sObject>`)},
		{Type: "Opportunity", Body: []byte(`<sObject><sf:Name>x</sf:Name></sObject>`)},
		{Type: "Opportunity", Body: []byte(`{"sObject":7}`)},
		{Type: "Opportunity", Body: []byte(`<sObject><sf:Id>` + deal)},
	}
	got, err := c.Enrich(t.Context(), lookups)
	if err != nil || len(got) != len(lookups) {
		t.Fatalf("enrich: %v, %v", got, err)
	}
	want := `{"Amount":1200.5,"IsClosed":null,"IsWon":true,"Name":"Big","StageName":"Closed Won","contacts":[{"email":"ann@example.com","id":"` + ann + `"}],"currency":"EUR","id":"` + deal + `"}`
	if diff := cmp.Diff(want, string(got[0].JSON)); diff != "" || got[0].ModifiedAt.Time().Format("15:04:05") != "09:14:05" {
		t.Errorf("record at %v (-want +got):\n%s", got[0].ModifiedAt.Time(), diff)
	}
	if !strings.Contains(string(got[1].JSON), `"contacts":[]`) {
		t.Errorf("a deal of nobody: %s", got[1].JSON)
	}
	if got[2].JSON != nil || got[2].Err != nil {
		t.Errorf("a deal that is gone: %+v", got[2])
	}
	for i, r := range got[3:] {
		if r.Err == nil || r.Err.Retryable {
			t.Errorf("lookup %d names no deal: %+v", i+3, r)
		}
	}

	everybody, w := start(t, func(cfg *connectors.Config) { cfg.Settings["deal_people"] = "all" })
	ann, bo = w.contact("ann@example.com"), w.contact("bo@example.com")
	deal = w.Add(salesforcesim.Record{Object: "Opportunity", Roles: []string{ann, bo}, Fields: map[string]any{}})
	got, err = everybody.Enrich(t.Context(), []connectors.Lookup{{Body: []byte(`{"sObject":{"Id":"` + deal + `"}}`)}})
	var record struct{ Contacts []struct{ ID, Email string } }
	if err != nil || json.Unmarshal(got[0].JSON, &record) != nil || len(record.Contacts) != 2 || record.Contacts[1].Email != "bo@example.com" {
		t.Errorf("everybody: %+v, %v", record, err)
	}
	w.answer(func(rw http.ResponseWriter, _ *http.Request) bool { reply(rw, 503, ""); return true })
	if _, err := everybody.Enrich(t.Context(), lookups[:1]); err == nil {
		t.Error("a vendor that is away gave records")
	}
}

func TestReadGivesWhatIsHeld(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Title": "job_title"} })
	dana := v.contact("dana@example.com")
	v.lead("lee@example.com")
	u := person(1, "dana@example.com", "Customer")
	u.Want.Segments, u.Want.Absent, u.Want.Traits = []string{"at_risk"}, []string{"vip"}, map[string]any{"Title": "CEO"}
	push(t, c, u)
	byID := u
	byID.Email, byID.VendorID = "", dana
	got, err := c.Read(t.Context(), []connectors.Update{u, byID, person(2, "lee@example.com", "x"), person(3, "nobody@example.com", "x")})
	if err != nil {
		t.Fatal(err)
	}
	held := &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"vip"}, Traits: map[string]any{"Title": "CEO"}}
	want := []*connectors.State{held, held, {Traits: map[string]any{"Title": nil}}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestListGivesEverybody(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	for i := range 1001 {
		v.contact(fmt.Sprintf("c%d@example.com", i))
	}
	v.lead("lee@example.com")
	push(t, c, person(1, "lee@example.com", "Lead"))
	cursor, pages, people := "", 0, map[string]connectors.Listing{}
	for {
		got, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.People {
			people[p.Email] = p
		}
		pages++
		if cursor = got.Cursor; cursor == "" || pages > 9 {
			break
		}
	}
	if pages != 3 || len(people) != 1002 || people["lee@example.com"].State.Stage != "Lead" {
		t.Errorf("%d people on %d pages, lee is %+v", len(people), pages, people["lee@example.com"])
	}
	if _, err := c.List(t.Context(), "Account"); err == nil {
		t.Error("a cursor of something else was taken")
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	contact, lead := v.contact("dana@example.com"), v.lead("dana@example.com")
	other := v.contact("old@example.com")
	who := person(1, "Dana@example.com", "")
	who.VendorID = other
	got, err := c.Erase(t.Context(), who)
	if err != nil || got.Outcome != connectors.OK || !strings.Contains(got.Proof, contact) || !strings.Contains(got.Proof, lead) {
		t.Fatalf("erase: %+v, %v", got, err)
	}
	if v.Get(contact) != nil || v.Get(lead) != nil || v.Get(other) != nil {
		t.Error("somebody was left")
	}
	if got, err = c.Erase(t.Context(), who); err != nil || got.Outcome != connectors.OK || got.Proof != "no record found" {
		t.Errorf("again: %+v, %v", got, err)
	}
	if got, err = c.Erase(t.Context(), connectors.Update{}); err != nil || got.Outcome != connectors.Skipped {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	v.contact("dana@example.com")
	v.Refuse("dana@example.com", "DELETE_FAILED", "it is associated with the following cases")
	if got, err = c.Erase(t.Context(), who); err != nil || got.Outcome != connectors.Permanent || !strings.Contains(got.Message, "cases") {
		t.Errorf("refused: %+v, %v", got, err)
	}
	v.Refuse("dana@example.com", "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
	var e *connectors.PushError
	if _, err = c.Erase(t.Context(), who); !errors.As(err, &e) || !e.Retryable {
		t.Errorf("locked: %v", err)
	}
}

func TestCheckNamesAMissingField(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	if said, err := c.Check(t.Context()); err != nil || !strings.Contains(said, "4982 of 5000") || !strings.Contains(said, "Contact and Lead") {
		t.Errorf("check: %q, %v", said, err)
	}
	c, _ = start(t, func(cfg *connectors.Config) { cfg.Settings["stage_field"] = "Other__c" })
	var e *connectors.PushError
	if _, err := c.Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "Other__c") {
		t.Errorf("check: %v", err)
	}
	c, v := start(t, func(cfg *connectors.Config) {
		cfg.Settings["stage_field"], cfg.Push.Enabled = "Other__c", false
		cfg.Secrets["client_secret"] = []secret.Text{secret.New("of-another-app")}
	})
	if _, err := c.Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth || v.Issued() != 0 {
		t.Errorf("check: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ field, value string }{
		{"base_url", "acme"}, {"base_url", "https://x@acme.my.salesforce.com"}, {"api_version", "66"}, {"organization_id", "0055g000001AbCdAAK"},
		{"integration_user", "dana"}, {"stage_field", "SB Stage"}, {"stage_field", "HasOptedOutOfEmail"}, {"currency", "euro"},
		{"create_fields", "true"}, {"quota_reserve", "all"}, {"read_deletions", "yes"}, {"objects", "accounts"}, {"create_as", "Account"}, {"deal_people", "some"},
	} {
		cfg := newVendor(t).config()
		cfg.Settings[s.field] = s.value
		_, err := salesforce.Vendor().Open(cfg)
		var wrong *connectors.SettingError
		if s.field == "create_fields" {
			s.field = "permission_set"
		}
		if !errors.As(err, &wrong) || wrong.Field != s.field {
			t.Errorf("%s=%s: %v", s.field, s.value, err)
		}
	}
	for _, target := range []string{"HasOptedOutOfEmail", "DoNotCall", "Marketing_Opt_In__c", "SB_Stage__c", "Id", "a b"} {
		cfg := newVendor(t).config()
		cfg.Push.Traits = map[string]string{target: "x"}
		var wrong *connectors.SettingError
		if _, err := salesforce.Vendor().Open(cfg); !errors.As(err, &wrong) || wrong.Field != "push.traits."+target {
			t.Errorf("%s: %v", target, err)
		}
	}
}
