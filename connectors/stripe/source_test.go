package stripe_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/secret"
)

// receive signs a body and gives its one raw event.
func receive(t testing.TB, c connectors.Source, body string) connectors.RawEvent {
	t.Helper()
	at := time.Unix(1795166110, 0)
	rc, err := c.Receive(&connectors.Request{
		Method: http.MethodPost, Body: []byte(body), Received: at,
		Header: http.Header{"Stripe-Signature": {sign("whsec_now", at.Unix(), []byte(body))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rc.Events) != 1 {
		t.Fatalf("%d events", len(rc.Events))
	}
	return rc.Events[0]
}

// TestSignatureVector was computed with openssl:
//
//	printf '1795166100.{"id":"evt_lb1","object":"event"}' | openssl dgst -sha256 -hmac whsec_lb_test
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	const good = "f22ee3d84a149dea58fcb7f75a5f2e47764a27a1478b0db711fbf0a71c4f812a"
	const body = `{"id":"evt_lb1","object":"event"}`
	c := open(t, "https://api.stripe.com", func(c *connectors.Config) {
		c.Secrets["signing_secret"] = []secret.Text{secret.New("whsec_lb_test")}
	})
	for _, tt := range []struct {
		name, header, body string
		want               error
	}{
		{"good", "t=1795166100,v1=" + good, body, nil},
		{"capital hex", "t=1795166100,v1=" + strings.ToUpper(good), body, nil},
		{"a second signature, as while rolling", "t=1795166100,v1=" + strings.Repeat("0", 64) + ",v1=" + good, body, nil},
		{"with spaces and other schemes", "t=1795166100, v0=" + strings.Repeat("0", 64) + ", v1=" + good + ",v2=x", body, nil},
		{"one byte of the body", "t=1795166100,v1=" + good, strings.Replace(body, "lb1", "lb2", 1), connectors.ErrSignature},
		{"one byte of the signature", "t=1795166100,v1=" + strings.Replace(good, "f2", "f3", 1), body, connectors.ErrSignature},
		{"one byte of the time", "t=1795166101,v1=" + good, body, connectors.ErrSignature},
		{"v0 proves nothing", "t=1795166100,v0=" + good, body, connectors.ErrSignature},
		{"two times", "t=1795166100,t=1795166100,v1=" + good, body, connectors.ErrSignature},
		{"no time", "v1=" + good, body, connectors.ErrSignature},
		{"many signatures", "t=1795166100" + strings.Repeat(",v1="+good, 11), body, connectors.ErrSignature},
		{"empty", "", body, connectors.ErrUnsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Receive(&connectors.Request{
				Method: http.MethodPost, Body: []byte(tt.body), Received: time.Unix(1795166390, 0),
				Header: http.Header{"Stripe-Signature": {tt.header}},
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestModes: events of the other mode and of connected accounts are kept under
// a name that no default rule takes.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode, key, livemode, account, want string
	}{
		{"auto", "sk_test_x", "false", "", "invoice.paid"},
		{"auto", "rk_test_x", "true", "", "livemode.invoice.paid"},
		{"auto", "rk_live_x", "false", "", "testmode.invoice.paid"},
		{"auto", "", "false", "", "invoice.paid"},
		{"live", "", "false", "", "testmode.invoice.paid"},
		{"any", "sk_live_x", "false", "", "invoice.paid"},
		{"live", "", `"?"`, "", "invoice.paid"},
		{"any", "", "true", "acct_2", "connect.invoice.paid"},
	} {
		c := open(t, "https://api.stripe.com", func(c *connectors.Config) {
			c.Settings["mode"], c.Push.Enabled = tt.mode, false
			c.Secrets["api_key"] = []secret.Text{secret.New(tt.key)}
		})
		body := fmt.Sprintf(`{"id":"evt_1","type":"invoice.paid","livemode":%s,"account":%q,"data":{"object":{"customer":"cus_1"}}}`, tt.livemode, tt.account)
		if got := receive(t, c, body).Type; got != tt.want {
			t.Errorf("%+v: type %s", tt, got)
		}
	}
}

// TestEcho: a write of ours comes back with its idempotency key; that of another
// installation is told.
func TestEcho(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	id := sim.AddCustomer("dana@example.com", nil)
	f := connectortest.NewFake(t)
	f.Handle("POST /v1/customers/{id}", sim.ServeHTTP)
	u := connectors.Update{ID: "u1", VendorID: id, Want: connectors.State{Stage: "Customer"}}
	if r := pushOne(t, open(t, f.URL, nil), u); r.Outcome != connectors.OK {
		t.Fatalf("result = %+v", r)
	}
	key := f.Requests()[0].Header.Get("Idempotency-Key")
	body := fmt.Sprintf(`{"id":"evt_2","type":"customer.updated","request":{"id":"req_1","idempotency_key":%q},"data":{"object":{"id":%q}}}`, key, id)
	if e := receive(t, open(t, base, nil), body); e.Echo == "" {
		t.Errorf("our own write is not recognised by %q", key)
	}
	if e := receive(t, open(t, base, func(c *connectors.Config) { c.Instance = "another" }), body); e.Echo != "" {
		t.Error("another installation's write is taken for ours")
	}
	if e := receive(t, open(t, base, nil), strings.Replace(body, "customer.updated", "invoice.paid", 1)); e.Echo != "" {
		t.Error("a push pays no invoice")
	}
}

// TestEnrich gives the customer of events that name it by id alone.
func TestEnrich(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	id := sim.AddCustomer("dana@example.com", map[string]string{"user_id": "u-42"})
	gone := sim.AddCustomer("eli@example.com", nil)
	sim.Delete(gone)
	c := open(t, base, nil)
	var lookups []connectors.Lookup
	for _, customer := range []string{`"` + id + `"`, `{"id":"` + id + `","object":"customer"}`, `"` + gone + `"`, `"cus_none"`, "null"} {
		body := `{"id":"evt_3","type":"customer.subscription.created","data":{"object":{"id":"sub_1","customer":` + customer + `}}}`
		if e := receive(t, c, body); e.NeedsRecord != (customer != "null") {
			t.Errorf("%s: needs record %v", customer, e.NeedsRecord)
		}
		lookups = append(lookups, connectors.Lookup{Type: "customer.subscription.created", Body: []byte(body)})
	}
	records, err := c.Enrich(t.Context(), lookups)
	if err != nil {
		t.Fatal(err)
	}
	for i, there := range []bool{true, true, false, false, false} {
		if (records[i].JSON != nil) != there || records[i].Err != nil {
			t.Errorf("record %d = %s, %v", i, records[i].JSON, records[i].Err)
		}
	}
	var record struct {
		Email, UserID string
		Contacts      []struct{ ID, Email string }
	}
	if err := json.Unmarshal(records[0].JSON, &record); err != nil {
		t.Fatal(err)
	}
	if record.Email != "dana@example.com" || len(record.Contacts) != 1 || record.Contacts[0].ID != id || !strings.Contains(string(records[0].JSON), `"user_id":"u-42"`) {
		t.Errorf("record = %s", records[0].JSON)
	}
	if e := receive(t, open(t, base, func(c *connectors.Config) { delete(c.Secrets, "api_key"); c.Push.Enabled = false }),
		string(lookups[0].Body)); e.NeedsRecord {
		t.Error("a record is asked for without a key")
	}
}

// TestEnrichFailure: what concerns the key fails the call, what concerns one
// customer is told there.
func TestEnrichFailure(t *testing.T) {
	t.Parallel()
	lookup := []connectors.Lookup{{Body: []byte(`{"id":"e","type":"t","data":{"object":{"customer":"cus_1"}}}`)}}
	f := connectortest.NewFake(t)
	f.Reply("GET /v1/customers/{id}", 401, `{"error":{"type":"invalid_request_error","message":"Invalid API Key"}}`)
	c := open(t, f.URL, nil)
	var e *connectors.PushError
	if _, err := c.Enrich(t.Context(), lookup); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("error = %v", err)
	}
	f.Reply("GET /v1/customers/{id}", 400, `{"error":{"type":"invalid_request_error","message":"no"}}`)
	records, err := c.Enrich(t.Context(), lookup)
	if err != nil || records[0].Err == nil || records[0].Err.Retryable {
		t.Errorf("records = %+v, %v", records, err)
	}
}

// FuzzReceive gives signed bytes: an authentic request is always one raw event
// that fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"id":"evt_1","type":"invoice.paid","livemode":true,"created":1795166100,"data":{"object":{"customer":{"id":"cus_1"}}}}`,
		`{"id":"evt_1","type":"a","request":"req_1","data":[],"created":-1,"account":7}`, `{"id":1,"type":2}`, "[]", "null", "", "\xff",
		`{"id":"e","type":"customer.created","created":1e400}`, `{"id":"e","id":"f","type":"t"}`, `{"id":"e","type":"\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	c := open(f, "https://api.stripe.com", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		e := receive(t, c, string(body))
		if e.Type == "" || len(e.Type) > 110 || e.Dedupe == [32]byte{} || string(e.Body) != string(body) || e.Broken != "" && e.NeedsRecord {
			t.Errorf("raw event %+v", e)
		}
	})
}
