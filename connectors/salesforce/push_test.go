package salesforce_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
)

func TestPushFindsTheRecord(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	older := v.contact("dana@example.com")
	newer := v.contact("Dana@example.com")
	v.lead("dana@example.com")
	lead := v.lead("lee@example.com")
	known := v.contact("old@example.com")
	moved := person(3, "new@example.com", "Trial")
	moved.VendorID = known[:15]

	results := push(t, c, person(1, "DANA@example.com ", "Customer"), person(2, "lee@example.com", "Lead"), moved)
	for i, want := range []string{newer, lead, known} {
		if outcome(results[i]) != "ok" || results[i].VendorID != want {
			t.Errorf("result %d = %+v, want ok for %s", i, results[i], want)
		}
	}
	if v.Get(older)["SB_Stage__c"] != nil || v.Get(newer)["SB_Stage__c"] != "Customer" || v.Get(lead)["SB_Stage__c"] != "Lead" || v.Get(known)["SB_Stage__c"] != "Trial" {
		t.Errorf("held: %v", v.Held())
	}
	if v.Get(known)["Email"] != "old@example.com" {
		t.Error("a push changed an address that no trait maps")
	}
	// A token, two lookups, and one request that writes contact and lead.
	want := []string{"POST /services/oauth2/token", "GET /query", "GET /query", "PATCH /composite/sobjects"}
	if diff := cmp.Diff(want, v.took()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestPushCreates(t *testing.T) {
	t.Parallel()
	t.Run("as a lead, once", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"LastName": "last_name"} })
		u := person(7, "dana@example.com", "Lead")
		u.Want.Segments = []string{"at_risk", "vip"}
		u.Want.Traits = map[string]any{"LastName": nil}
		first := push(t, c, u)[0]
		got := v.Get(first.VendorID)
		if outcome(first) != "ok" || !strings.HasPrefix(first.VendorID, "00Q") || got["SB_External_Id__c"] != "7" ||
			got["LastName"] != "[not provided]" || got["Company"] != "[not provided]" || got["SB_Segments__c"] != "at_risk;vip" {
			t.Fatalf("created %+v as %v", first, got)
		}
		// The answer was lost and the address has changed: the external id finds it.
		u.Email = "dana.new@example.com"
		if again := push(t, c, u)[0]; again.VendorID != first.VendorID {
			t.Errorf("again: %+v, want %s", again, first.VendorID)
		}
	})
	t.Run("as a contact", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, func(cfg *connectors.Config) { cfg.Settings["create_as"] = "Contact" })
		got := push(t, c, person(7, "dana@example.com", "Lead"))[0]
		if outcome(got) != "ok" || !strings.HasPrefix(got.VendorID, "003") || v.Get(got.VendorID)["Company"] != nil {
			t.Errorf("got %+v, %v", got, v.Get(got.VendorID))
		}
	})
	t.Run("not where create is off", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Create = false })
		got := push(t, c, person(7, "dana@example.com", "Lead"), connectors.Update{ID: "u", Want: connectors.State{Stage: "Lead"}})
		if outcome(got[0]) != "skipped not_in_vendor" || outcome(got[1]) != "skipped no_identity" || v.Writes() != 0 {
			t.Errorf("got %+v and %d writes", got, v.Writes())
		}
	})
	t.Run("only a new record is held to be without a name", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, nil)
		id := v.contact("dana@example.com")
		push(t, c, person(7, "dana@example.com", "Lead"))
		if v.Get(id)["LastName"] != "Reed" {
			t.Errorf("the name became %v", v.Get(id)["LastName"])
		}
	})
}

func TestPushFollowsWhatBecameOfARecord(t *testing.T) {
	t.Parallel()
	t.Run("a converted lead", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, nil)
		contact := v.contact("other@example.com")
		lead := v.Add(salesforcesim.Record{Object: "Lead", Fields: map[string]any{"Email": "dana@example.com", "IsConverted": true, "ConvertedContactId": contact}})
		u := person(1, "dana@example.com", "Customer")
		u.VendorID = lead
		got := push(t, c, u)[0]
		if outcome(got) != "ok" || got.VendorID != contact || v.Get(contact)["SB_Stage__c"] != "Customer" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a converted lead whose contact is hidden", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, nil)
		u := person(1, "dana@example.com", "Customer")
		u.VendorID = v.Add(salesforcesim.Record{Object: "Lead", Fields: map[string]any{"Email": "dana@example.com", "IsConverted": true}})
		if got := push(t, c, u)[0]; outcome(got) != "skipped not_in_vendor" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("deleted, and there under another id", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, nil)
		gone, other := v.contact("dana@example.com"), v.contact("dana@example.com")
		v.Remove(gone)
		u := person(1, "dana@example.com", "Customer")
		u.VendorID = gone
		if got := push(t, c, u)[0]; outcome(got) != "ok" || got.VendorID != other {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("deleted, and made again", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, nil)
		gone := v.contact("dana@example.com")
		v.Remove(gone)
		u := person(1, "dana@example.com", "Customer")
		u.VendorID = gone
		if got := push(t, c, u)[0]; outcome(got) != "ok" || !strings.HasPrefix(got.VendorID, "00Q") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("deleted, without an address", func(t *testing.T) {
		t.Parallel()
		c, v := start(t, nil)
		gone := v.contact("dana@example.com")
		v.Remove(gone)
		u := person(1, "", "Customer")
		u.VendorID = gone
		if got := push(t, c, u)[0]; outcome(got) != "skipped not_in_vendor" || got.VendorID != "" {
			t.Errorf("got %+v", got)
		}
	})
}

// Two people may be one record at Salesforce; a list that names it twice is
// refused whole.
func TestPushNamesARecordOnce(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	id := v.contact("dana@example.com")
	a, b := person(1, "dana@example.com", "Customer"), person(2, "x@example.com", "Trial")
	b.VendorID = id
	for i, r := range push(t, c, a, b) {
		if outcome(r) != "ok" || r.VendorID != id {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if v.Writes() != 2 {
		t.Errorf("%d writes, want 2", v.Writes())
	}
}

// Each row has its own end, although the answer is 200.
func TestPushRows(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ code, message, want string }{
		{"UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", "retry server"},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: System.LimitException: Too many SOQL queries: 101", "retry server"},
		{"REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", "retry rate_limit"},
		{"INVALID_FIELD", "No such column 'SB_Stage__c' on sobject of type Contact", "permanent settings"},
		{"INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", "permanent forbidden"},
		{"DUPLICATES_DETECTED", "Use one of these records?", "permanent conflict"},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", "The stage may not go back.", "permanent invalid"},
		{"STRING_TOO_LONG", "SB Stage: data value too large", "permanent invalid"},
		{"INVALID_EMAIL_ADDRESS", "Email: invalid email address", "permanent invalid"},
	} {
		t.Run(row.code, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, nil)
			v.contact("dana@example.com")
			v.contact("lee@example.com")
			v.Refuse("dana@example.com", row.code, row.message)
			got := push(t, c, person(1, "dana@example.com", "Customer"), person(2, "lee@example.com", "Customer"))
			if outcome(got[0]) != row.want || !strings.Contains(got[0].Message, row.message) || outcome(got[1]) != "ok" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Failures of a whole request, in the vendor's form: a list.
func TestPushRefusedWhole(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name      string
		status    int
		body      string
		reason    connectors.Reason
		retryable bool
		delay     time.Duration
	}{
		{"quota", 403, `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, connectors.ReasonRateLimit, true, 15 * time.Minute},
		{"away", 503, `[{"message":"Server unavailable","errorCode":"SERVER_UNAVAILABLE"}]`, connectors.ReasonServer, true, 0},
		{"field", 400, `[{"message":"No such column 'SB_Stage__c' on sobject of type Contact","errorCode":"INVALID_FIELD"}]`, connectors.ReasonSettings, false, 0},
		{"version", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`, connectors.ReasonNotFound, false, 0},
		{"permission", 403, `[{"message":"The API is not enabled for this Organization or Partner","errorCode":"API_DISABLED_FOR_ORG"}]`, connectors.ReasonForbidden, false, 0},
		{"rows missing", 200, `[]`, connectors.ReasonBadAnswer, true, 0},
		{"no rows", 200, `{"ok":true}`, connectors.ReasonBadAnswer, true, 0},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, nil)
			v.contact("dana@example.com")
			v.answer(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPatch {
					return false
				}
				reply(w, f.status, f.body)
				return true
			})
			_, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Customer")})
			var e *connectors.PushError
			if !errors.As(err, &e) || e.Reason != f.reason || e.Retryable != f.retryable || e.RetryAfter != f.delay {
				t.Errorf("error %+v, want %s, retryable %v after %v", e, f.reason, f.retryable, f.delay)
			}
		})
	}
}

// A token that was refused is fetched anew, once.
func TestPushRenewsTheToken(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.contact("dana@example.com")
	push(t, c, person(1, "dana@example.com", "Lead"))
	v.Expire()
	if got := push(t, c, person(1, "dana@example.com", "Customer"))[0]; outcome(got) != "ok" || v.Issued() != 2 {
		t.Errorf("got %+v with %d tokens", got, v.Issued())
	}
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/token") {
			return false
		}
		reply(w, http.StatusUnauthorized, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`)
		return true
	})
	v.took()
	_, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Trial")})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("error %v", err)
	}
	if got := v.took(); len(got) != 3 {
		t.Errorf("requests %v, want one more token and one more try", got)
	}
}

func TestPushTokenAnswers(t *testing.T) {
	t.Parallel()
	for _, a := range []struct {
		name, body string
		status     int
		reason     connectors.Reason
	}{
		{"refused", `{"error":"invalid_grant","error_description":"no client credentials user enabled"}`, 400, connectors.ReasonAuth},
		{"empty", `{"instance_url":"https://acme.my.salesforce.com"}`, 200, connectors.ReasonBadAnswer},
		{"an address that is none", `{"access_token":"t","instance_url":"javascript:alert(1)"}`, 200, connectors.ReasonBadAnswer},
	} {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, nil)
			v.answer(func(w http.ResponseWriter, _ *http.Request) bool { reply(w, a.status, a.body); return true })
			_, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Lead")})
			var e *connectors.PushError
			if !errors.As(err, &e) || e.Reason != a.reason || !strings.HasPrefix(err.Error(), "salesforce: ") {
				t.Errorf("error %v, want %s", err, a.reason)
			}
		})
	}
}

// Updates leave a lead with its owner: assignment rules run for new ones only.
func TestPushLeavesOwnersAlone(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.lead("dana@example.com")
	var got []string
	v.answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			got = append(got, r.URL.Path[strings.LastIndex(r.URL.Path, "/"):]+" "+r.Header.Get("Sforce-Auto-Assign")+" "+r.Header.Get("Sforce-Call-Options"))
		}
		return false
	})
	push(t, c, person(1, "dana@example.com", "Lead"), person(2, "lee@example.com", "Lead"))
	want := []string{"/sobjects FALSE client=stagebridge", "/SB_External_Id__c  client=stagebridge"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
