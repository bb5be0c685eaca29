package mailchimp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
)

func TestPushCreatesAndUpdates(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("MUST", "text", true)
	v.AddMember("lee@example.com", "unsubscribed", map[string]any{"FNAME": "Lee"}, "sb:trialists", "own tag")
	c := open(t, config(v))
	dana := person("Dana@Example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	dana.Want.Traits = map[string]any{"COMPANY": "Acme"}
	lee := person("lee@example.com", "Trial", nil, []string{"trialists"})
	for i, r := range connectortest.Push(t, c, dana, lee) {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("result %d: %+v", i, r)
		}
		if len(r.VendorID) != 32 {
			t.Errorf("result %d has the vendor id %q", i, r.VendorID)
		}
	}
	want := map[string]mailchimpsim.Held{
		"Dana@Example.com": {Email: "Dana@Example.com", Status: "transactional", Merge: map[string]any{"SBSTAGE": "Customer", "COMPANY": "Acme"}, Tags: []string{"sb:at_risk"}},
		"lee@example.com":  {Email: "lee@example.com", Status: "unsubscribed", Merge: map[string]any{"SBSTAGE": "Trial", "FNAME": "Lee"}, Tags: []string{"own tag"}},
	}
	if diff := cmp.Diff(want, v.Members()); diff != "" {
		t.Errorf("the audience (-want +got):\n%s", diff)
	}
}

func TestPushSendsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("SBSTAGE", "text", false)
	v.AddMember("dana@example.com", "", map[string]any{"SBSTAGE": "Customer", "COMPANY": "Acme"}, "sb:at_risk")
	c := open(t, config(v))
	known := connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"COMPANY": "Acme"}}
	at := func(change func(*connectors.State)) connectors.Update {
		u := connectors.Update{ID: "u-1", Email: "dana@example.com", Known: &known}
		u.Want = connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"COMPANY": "Acme"}}
		change(&u.Want)
		return u
	}
	const member = "/members/e556d839bbda3d423c5b09096613f2d7"
	for _, tt := range []struct {
		name   string
		change func(*connectors.State)
		want   []string
	}{
		{"first, the merge fields are read", func(s *connectors.State) { s.Stage = "Churned" }, []string{
			"GET /merge-fields ", "PATCH " + member + ` {"merge_fields":{"SBSTAGE":"Churned"}}`}},
		{"nothing", func(*connectors.State) {}, nil},
		{"the stage", func(s *connectors.State) { s.Stage = "Advocate" }, []string{"PATCH " + member + ` {"merge_fields":{"SBSTAGE":"Advocate"}}`}},
		{"no stage", func(s *connectors.State) { s.Stage = "" }, nil},
		{"a trait cleared", func(s *connectors.State) { s.Traits["COMPANY"] = nil }, []string{"PATCH " + member + ` {"merge_fields":{"COMPANY":""}}`}},
		{"the segments", func(s *connectors.State) { s.Segments, s.Absent = []string{"promoters"}, []string{"at_risk"} }, []string{
			"POST " + member + `/tags {"tags":[{"name":"sb:promoters","status":"active"},{"name":"sb:at_risk","status":"inactive"}],"is_syncing":false}`}},
		{"a segment new in the managed set", func(s *connectors.State) { s.Absent = []string{"dormant", "promoters"} }, []string{
			"POST " + member + `/tags {"tags":[{"name":"sb:dormant","status":"inactive"}],"is_syncing":false}`}},
	} {
		if r := connectortest.Push(t, c, at(tt.change))[0]; connectortest.Outcome(r) != "ok" {
			t.Errorf("%s: %+v", tt.name, r)
		}
		if diff := cmp.Diff(tt.want, v.took()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestPushMakesAVanishedContactAgain: what is known of a contact counts only
// while it is there; one that is made again gets everything.
func TestPushMakesAVanishedContactAgain(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*connectors.State){
		func(s *connectors.State) { s.Stage = "Advocate" },
		func(s *connectors.State) { s.Segments = append(s.Segments, "promoters") },
	} {
		v := newVendor(t, mailchimpsim.Options{})
		u := person("dana@example.com", "Customer", []string{"at_risk"}, nil)
		u.Want.Traits = map[string]any{"COMPANY": "Acme"}
		known := u.Want
		u.Known = &known
		change(&u.Want)
		r := connectortest.Push(t, open(t, config(v)), u)[0]
		held, _ := v.Member("dana@example.com")
		var tags []string
		for _, s := range u.Want.Segments {
			tags = append(tags, "sb:"+s)
		}
		want := mailchimpsim.Held{Email: "dana@example.com", Status: "transactional", Merge: map[string]any{"SBSTAGE": u.Want.Stage, "COMPANY": "Acme"}, Tags: tags}
		if diff := cmp.Diff(want, held); diff != "" || connectortest.Outcome(r) != "ok" {
			t.Errorf("%+v; holds (-want +got):\n%s", r, diff)
		}
	}
	// The fields that everything takes may be missing, or unreadable just then.
	v := newVendor(t, mailchimpsim.Options{})
	cfg := config(v)
	cfg.Settings["create_merge_field"] = "false"
	c := open(t, cfg)
	u := person("dana@example.com", "Customer", []string{"at_risk"}, nil)
	u.Known = &connectors.State{Stage: "Customer"}
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "permanent settings" {
		t.Errorf("without the field: %+v", r)
	}
	v.Fail(mailchimpsim.Fault{Times: -1, Path: "/merge-fields", Status: 503})
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "retry server" {
		t.Errorf("with the fields out of reach: %+v", r)
	}
	if n := len(v.Members()); n != 0 {
		t.Errorf("%d members", n)
	}
}

func TestPushWithoutCreate(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddMember("dana@example.com", "", nil)
	cfg := config(v)
	cfg.Push.Create = false
	c := open(t, cfg)
	gone := person("gone@example.com", "Trial", []string{"at_risk"}, nil)
	tagsOnly := person("gone@example.com", "", []string{"at_risk"}, nil)
	nobody := person("", "Trial", nil, nil)
	badID := nobody
	badID.VendorID = "8f31c2a7d0"
	byID := nobody
	byID.VendorID = "e556d839bbda3d423c5b09096613f2d7"
	var got []string
	for _, r := range connectortest.Push(t, c, person("dana@example.com", "Trial", []string{"at_risk"}, nil), gone, tagsOnly, nobody, badID, byID) {
		got = append(got, connectortest.Outcome(r))
	}
	want := []string{"ok", "skipped not_in_vendor", "skipped not_in_vendor", "skipped no_identity", "skipped no_identity", "ok"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if n := len(v.Members()); n != 1 {
		t.Errorf("%d members", n)
	}
}

func TestPushTagsOfManyInFewCalls(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("SBSTAGE", "text", false)
	cfg := config(v)
	cfg.Push.Traits = nil
	c := open(t, cfg)
	var updates []connectors.Update
	for i := range 40 {
		updates = append(updates, person(fmt.Sprintf("p%d@example.com", i), "Trial", []string{"at_risk"}, []string{"Promoters"}))
	}
	for _, r := range connectortest.Push(t, c, updates...) {
		if connectortest.Outcome(r) != "ok" {
			t.Fatalf("%+v", r)
		}
	}
	counts := v.Counts()
	if counts.Tags != 0 || counts.Segments != 1 || counts.TaggedInBulk != 40 {
		t.Errorf("counts %+v, want one call for all", counts)
	}
	// The vendor has lost somebody behind our back, and never had another tag.
	if err := v.Remove("p7@example.com"); err != nil {
		t.Fatal(err)
	}
	for i := range updates {
		known := updates[i].Want
		updates[i].Known = &known
		updates[i].Want = connectors.State{Stage: "Trial", Segments: []string{"Promoters"}, Absent: []string{"at_risk"}}
	}
	for i, r := range connectortest.Push(t, c, updates...) {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("person %d: %+v", i, r)
		}
	}
	for email, held := range v.Members() {
		if diff := cmp.Diff([]string{"sb:Promoters"}, held.Tags); diff != "" || held.Merge["SBSTAGE"] != "Trial" {
			t.Errorf("%s holds %+v", email, held)
		}
	}
	if n := len(v.Members()); n != 40 {
		t.Errorf("%d members, want the lost one made again", n)
	}
}

func TestPushKeepsAutomationsQuiet(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	cfg := config(v)
	cfg.Settings["is_syncing"] = "true"
	c := open(t, cfg)
	connectortest.Push(t, c, person("a@example.com", "Trial", []string{"x"}, nil), person("b@example.com", "Trial", []string{"x"}, nil))
	syncing := 0
	for _, r := range v.took() {
		if strings.Contains(r, `"is_syncing":true`) {
			syncing++
		}
		if strings.Contains(r, "/segments") {
			t.Errorf("%s cannot be quiet", r)
		}
	}
	if syncing != 2 {
		t.Errorf("%d quiet calls, want 2", syncing)
	}
}

func TestPushFollowsAChangedAddress(t *testing.T) {
	t.Parallel()
	const old = "e556d839bbda3d423c5b09096613f2d7"
	for _, tt := range []struct {
		name    string
		prepare func(*vendor)
		want    string
		left    []string
	}{
		{"the contact moves", func(v *vendor) { v.AddMember("dana@example.com", "", nil, "sb:at_risk") }, "ok", []string{"dana.new@example.com"}},
		{"it had moved already", func(v *vendor) { v.AddMember("dana.new@example.com", "", nil) }, "ok", []string{"dana.new@example.com"}},
		{"both are there", func(v *vendor) {
			v.AddMember("dana@example.com", "", nil)
			v.AddMember("dana.new@example.com", "", nil)
		}, "ok", []string{"dana.new@example.com", "dana@example.com"}},
		{"neither is there", func(*vendor) {}, "ok", []string{"dana.new@example.com"}},
		{"the contact has opted out", func(v *vendor) { v.AddMember("dana@example.com", "unsubscribed", nil) }, "skipped opted_out", []string{"dana@example.com"}},
		{"the present address was erased", func(v *vendor) {
			v.AddMember("dana@example.com", "", nil)
			v.AddMember("dana.new@example.com", "", nil)
			_ = v.Forget("dana.new@example.com")
		}, "skipped opted_out", []string{"dana.new@example.com", "dana@example.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, mailchimpsim.Options{})
			tt.prepare(v)
			u := person("dana.new@example.com", "Customer", []string{"at_risk"}, nil)
			u.VendorID = old
			u.Known = &connectors.State{Stage: "Trial", Segments: []string{"at_risk"}}
			r := connectortest.Push(t, open(t, config(v)), u)[0]
			if connectortest.Outcome(r) != tt.want {
				t.Fatalf("%+v, want %s", r, tt.want)
			}
			var left []string
			for email := range v.Members() {
				left = append(left, email)
			}
			slices.Sort(left)
			if diff := cmp.Diff(tt.left, left); diff != "" {
				t.Errorf("addresses (-want +got):\n%s", diff)
			}
			if tt.want != "ok" {
				return
			}
			held, _ := v.Member("dana.new@example.com")
			if held.Merge["SBSTAGE"] != "Customer" || !slices.Equal(held.Tags, []string{"sb:at_risk"}) {
				t.Errorf("holds %+v", held)
			}
			if r.VendorID == old || r.VendorID == "" {
				t.Errorf("vendor id %q", r.VendorID)
			}
		})
	}
}

func TestPushMergeFields(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("COUNT", "number", false)
	v.AddField("SINCE", "date", false)
	v.AddField("BORN", "birthday", false)
	v.AddField("HOME", "address", false)
	cfg := config(v)
	cfg.Settings["stage_field"] = "LIFE_STAGE"
	cfg.Push.Traits = map[string]string{"COUNT": "n", "SINCE": "s", "BORN": "b", "HOME": "h", "NOTE": "note", "LIST": "l", "YES": "y"}
	c := open(t, cfg)
	u := person("dana@example.com", strings.Repeat("ä", 200), nil, nil)
	u.Want.Traits = map[string]any{
		"COUNT": int64(9007199254740993), "SINCE": "2026-11-21T10:00:00Z", "BORN": "1990-04-05", "HOME": map[string]any{"city": "Ulm"},
		"NOTE": strings.Repeat("x", 254) + "ö", "LIST": []any{"a", int64(2)}, "YES": true,
	}
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("%+v", r)
	}
	held, _ := v.Member("dana@example.com")
	want := map[string]any{
		"LIFE_STAGE": strings.Repeat("ä", 127), "COUNT": float64(9007199254740992), "SINCE": "2026-11-21", "BORN": "04/05",
		"HOME": map[string]any{"city": "Ulm"}, "NOTE": strings.Repeat("x", 254), "LIST": "a, 2", "YES": "true",
	}
	if diff := cmp.Diff(want, held.Merge); diff != "" {
		t.Errorf("merge fields (-want +got):\n%s", diff)
	}
	if body := v.took(); !slices.ContainsFunc(body, func(r string) bool { return strings.Contains(r, `"COUNT":9007199254740993`) }) {
		t.Error("the number lost digits on its way")
	}
}

func TestPushWithoutMergeField(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	cfg := config(v)
	cfg.Settings["create_merge_field"] = "false"
	cfg.Settings["status_if_new"] = "pending"
	c := open(t, cfg)
	results := connectortest.Push(t, c, person("dana@example.com", "Customer", nil, nil), person("lee@example.com", "", []string{"x"}, nil))
	if got := connectortest.Outcome(results[0]); got != "permanent settings" || !strings.Contains(results[0].Message, "SBSTAGE") {
		t.Errorf("with a stage: %+v", results[0])
	}
	if got := connectortest.Outcome(results[1]); got != "ok" {
		t.Errorf("without a stage: %+v", results[1])
	}
	if held, _ := v.Member("lee@example.com"); held.Status != "pending" {
		t.Errorf("created as %q", held.Status)
	}
	// The field is made by hand, then taken away behind our back, then is another kind.
	v.AddField("SBSTAGE", "text", false)
	if r := connectortest.Push(t, c, person("dana@example.com", "Customer", nil, nil))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("once the field is there: %+v", r)
	}
	v.RemoveField("SBSTAGE")
	if r := connectortest.Push(t, c, person("dana@example.com", "Advocate", nil, nil))[0]; connectortest.Outcome(r) != "permanent settings" {
		t.Errorf("once the field has gone: %+v", r)
	}
	v.AddField("SBSTAGE", "dropdown", false, "Trial")
	r := connectortest.Push(t, c, person("dana@example.com", "Advocate", nil, nil))[0]
	if connectortest.Outcome(r) != "permanent invalid" || !strings.Contains(r.Message, "SBSTAGE: Value must be one of: Trial") {
		t.Errorf("with a choice that does not exist: %+v", r)
	}
}

func TestPushReportsWrittenFields(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	cfg := config(v)
	u := person("Dana@example.com", "Customer", []string{"x"}, nil)
	if r := connectortest.Push(t, open(t, cfg), u)[0]; r.Written != nil {
		t.Errorf("without API changes on the webhook: %v", r.Written)
	}
	cfg.Settings["api_changes"] = "on"
	// All fields as the answer shows them, since an event tells all as well.
	want := []connectors.Field{
		{Record: "dana@example.com", Name: "COMPANY"}, {Record: "dana@example.com", Name: "FNAME"}, {Record: "dana@example.com", Name: "LNAME"},
		{Record: "dana@example.com", Name: "PHONE"}, {Record: "dana@example.com", Name: "SBSTAGE", Value: "Customer"},
	}
	if diff := cmp.Diff(want, connectortest.Push(t, open(t, cfg), u)[0].Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

func TestPushBatchEndsWithItsTime(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("SBSTAGE", "text", false)
	c := open(t, config(v))
	connectortest.Push(t, c, person("dana@example.com", "Trial", nil, nil))
	v.Fail(mailchimpsim.Fault{Times: -1, Silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var updates []connectors.Update
	for i := range 30 {
		updates = append(updates, person(fmt.Sprintf("p%d@example.com", i), "Trial", nil, nil))
	}
	results, err := c.Push(ctx, updates)
	var pe *connectors.PushError
	if err != nil && !errors.As(err, &pe) {
		t.Fatalf("push: %v", err)
	}
	for i, r := range results {
		if r.Outcome != connectors.Retry {
			t.Errorf("person %d: %+v", i, r)
		}
	}
}
