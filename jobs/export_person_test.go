package jobs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestExportHoldsWhatErasureTakes: every table that an erasure takes a person
// out of is in the export, and nobody else is.
func TestExportHoldsWhatErasureTakes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l, _, admin, _ := eraseLab(t, s)
		at := l.now.Add(-48 * time.Hour)
		const email = "anna.nimmermehr@example.com"
		l.tell("crm", told{"seen", at.Add(-time.Hour), `{"device":"dev-77f3a1c2"}`}, told{"demo", at.Add(-time.Hour), `{"email":"` + email + `"}`},
			told{"demo", at, `{"email":"carl@example.com"}`})
		l.process()
		l.tell("crm", told{"signup", at, `{"user":"u-anna-7731","email":"` + email + `","device":"dev-77f3a1c2","name":"Anna Nimmermehr"}`},
			told{"order", at.Add(time.Hour), `{"email":"` + email + `","order":"o1","amount":"120"}`},
			told{"signup", at.Add(2 * time.Hour), `{"user":"u-other-5555","email":"` + email + `"}`},
			told{"unheard-of", at, `to=anna.nimmermehr%40example.com`})
		l.process()
		if err := l.push("crm"); err != nil {
			t.Fatal(err)
		}
		who, _ := l.person("email:" + email)
		l.plant(who, email)
		if _, _, err := admin.OpenErasure(t.Context(), who.ID, "", "bo"); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := admin.ExportPerson(t.Context(), who.ID, &b); err != nil {
			t.Fatal(err)
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(b.Bytes(), &all); err != nil {
			t.Fatalf("%v: %s", err, b.String())
		}
		for _, section := range []string{"profile", "events", "raw_events", "keys", "transitions", "memberships", "standings", "merges", "conflicts", "sync", "account_people", "account_moves",
			"erasures", "refusals", "reviews", "audit"} {
			if len(all[section]) < 10 {
				t.Errorf("the export has no %s", section)
			}
		}
		for _, text := range []string{"Anna Nimmermehr said so", "to=anna.nimmermehr%40example.com", `"order":"o1"`, "Order:Completed", "120"} {
			if !strings.Contains(b.String(), text) {
				t.Errorf("the export does not hold %s", text)
			}
		}
		if strings.Contains(b.String(), "carl@") {
			t.Error("the export holds somebody else")
		}
		if err := admin.ExportPerson(t.Context(), 1<<40, &b); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}
