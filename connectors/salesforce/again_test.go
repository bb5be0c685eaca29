package salesforce_test

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
)

// What is known is known of the record that was written to. Another record,
// found in its place or made anew, gets everything, not just what changed.
func TestPushTellsAnotherRecordEverything(t *testing.T) {
	t.Parallel()
	moved := func(vendorID string) connectors.Update {
		u := person(1, "dana@example.com", "Customer")
		u.VendorID = vendorID
		u.Want.Segments, u.Want.Absent = []string{"vip"}, []string{"at_risk"}
		u.Known = &connectors.State{Stage: "Customer", Segments: []string{"at_risk", "vip"}}
		return u
	}
	for name, set := range map[string]func(v *vendor) (vendorID, holds string){
		"a converted lead": func(v *vendor) (string, string) {
			contact := v.contact("other@example.com")
			return v.Add(salesforcesim.Record{Object: "Lead", Fields: map[string]any{"Email": "dana@example.com", "IsConverted": true, "ConvertedContactId": contact}}), contact
		},
		"deleted, and there under another id": func(v *vendor) (string, string) {
			gone, other := v.contact("dana@example.com"), v.contact("dana@example.com")
			v.Remove(gone)
			return gone, other
		},
		"deleted, and made again": func(v *vendor) (string, string) {
			gone := v.contact("dana@example.com")
			v.Remove(gone)
			return gone, ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, nil)
			vendorID, holds := set(v)
			got := push(t, c, moved(vendorID))[0]
			if outcome(got) != "ok" || got.VendorID == vendorID || holds != "" && got.VendorID != holds {
				t.Fatalf("got %+v", got)
			}
			if held := v.Get(got.VendorID); held["SB_Stage__c"] != "Customer" || held["SB_Segments__c"] != "vip" {
				t.Errorf("held %v", held)
			}
		})
	}
}

// One notification that cannot be read does not take the others of its message
// along.
func TestReceiveKeepsTheNeighbours(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	body := strings.Replace(outbound("Lead", "Contact", "Case"), `xsi:type="sf:Contact"`, "", 1)
	got := receive(t, c, deliver(body))
	if len(got.Events) != 3 || got.Events[0].Broken != "" || got.Events[1].Broken == "" || got.Events[2].Broken != "" {
		t.Fatalf("%d events", len(got.Events))
	}
	if e := got.Events[1]; e.Type != "message" || len(e.Body) == 0 || !strings.Contains(string(e.Body), "dana@example.com") {
		t.Errorf("the broken one is %s: %s", e.Type, e.Body)
	}
	if got.Events[0].Dedupe == got.Events[1].Dedupe || got.Events[1].Dedupe == got.Events[2].Dedupe {
		t.Error("two notifications have one key")
	}
}

// A number is the same however it travelled: what is remembered comes back as a
// float. In a list it is written out.
func TestPushSpellsNumbers(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Title": "seats"} })
	u := person(1, "dana@example.com", "Customer")
	u.VendorID = v.contact("dana@example.com")
	u.Want.Traits = map[string]any{"Title": int64(1250000)}
	u.Known = &connectors.State{Stage: "Customer", Traits: map[string]any{"Title": 1250000.0}}
	if got := push(t, c, u)[0]; outcome(got) != "ok" || len(v.took()) != 0 {
		t.Errorf("the same number was sent again: %+v", got)
	}
	u.Want.Traits = map[string]any{"Title": []any{int64(7), 1250000.0, true, nil}}
	got := push(t, c, u)[0]
	if held := v.Get(u.VendorID)["Title"]; outcome(got) != "ok" || held != "7;1250000;true;" {
		t.Errorf("%+v, held %v", got, held)
	}
}
