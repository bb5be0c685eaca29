package salesforce_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

func making(cfg *connectors.Config) {
	cfg.Settings["create_fields"], cfg.Settings["permission_set"] = "true", "Stagebridge"
}

func TestPushMakesTheFieldsOnce(t *testing.T) {
	t.Parallel()
	c, v := start(t, making)
	v.Bare("Stagebridge")
	v.contact("dana@example.com")
	u := person(1, "dana@example.com", "Customer")
	u.Want.Segments = []string{"vip"}
	if got := push(t, c, u, person(2, "new@example.com", "Lead")); outcome(got[0]) != "ok" || outcome(got[1]) != "ok" {
		t.Fatalf("got %+v", got)
	}
	made := 0
	for _, r := range v.took() {
		if strings.HasPrefix(r, "POST /tooling") {
			made++
		}
	}
	if made != 6 { // three each on contact and lead
		t.Errorf("%d fields were made", made)
	}
	push(t, c, person(1, "dana@example.com", "Trial"))
	for _, r := range v.took() {
		if strings.HasPrefix(r, "POST") {
			t.Errorf("%s in the second push", r)
		}
	}
}

// A field that is there, but hidden, is made visible.
func TestPushShowsHiddenFields(t *testing.T) {
	t.Parallel()
	c, v := start(t, making)
	v.Bare("Stagebridge")
	v.contact("dana@example.com")
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/FieldPermissions") {
			reply(w, 400, `[{"message":"try later","errorCode":"UNABLE_TO_LOCK_ROW"}]`)
			return true
		}
		return false
	})
	_, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Lead")})
	var e *connectors.PushError
	if !errors.As(err, &e) || !e.Retryable {
		t.Errorf("error %v", err)
	}
	v.answer(nil)
	if got := push(t, c, person(1, "dana@example.com", "Lead"))[0]; outcome(got) != "ok" {
		t.Errorf("once it could be granted: %+v", got)
	}
}

func TestPushCannotMakeFields(t *testing.T) {
	t.Parallel()
	c, v := start(t, making)
	v.Bare("Another")
	v.contact("dana@example.com")
	_, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Lead")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "Stagebridge") {
		t.Errorf("error %v", err)
	}
	// Without leave to make any, a row says what is missing.
	c, v = start(t, nil)
	v.Bare("Stagebridge")
	v.contact("dana@example.com")
	if got, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Lead")}); err != nil || outcome(got[0]) != "permanent settings" || !strings.Contains(got[0].Message, "SB_Stage__c") {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Only new people need the external id; the others are written without it.
func TestPushWithoutTheExternalID(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Settings["external_id_field"] = "Other__c" })
	v.contact("dana@example.com")
	got := push(t, c, person(1, "dana@example.com", "Lead"), person(2, "new@example.com", "Lead"))
	if outcome(got[0]) != "ok" || outcome(got[1]) != "permanent settings" || !strings.Contains(got[1].Message, "Other__c") {
		t.Errorf("got %+v", got)
	}
}
