package intercom_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/intercom"
	"github.com/stagebridge/stagebridge/secret"
)

// The vector was computed with printf '%s' "$body" | openssl dgst -sha1 -hmac "$key"
const (
	vectorKey       = "lb-test-secret-intercom"
	vectorBody      = `{"type":"notification_event","topic":"contact.user.created","id":"notif_1"}`
	vectorSignature = "sha1=59ec7d1ec14a4c67669645be9475d47a55ec79fa"
)

func receiving(t testing.TB, settings map[string]string, key string) *intercom.Connector {
	t.Helper()
	c, err := intercom.Vendor().Open(connectors.Config{
		ID: "messenger", PublicURL: "https://bridge.example.com/hooks/messenger", Settings: settings,
		Secrets: map[string][]secret.Text{"client_secret": {secret.New(key)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*intercom.Connector)
}

func delivery(signature, body string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"X-Hub-Signature": {signature}}}
}

// receive is a delivery that is signed well.
func receive(t *testing.T, c *intercom.Connector, key, body string) []connectors.RawEvent {
	t.Helper()
	rc, err := c.Receive(delivery(sign(key, []byte(body)), body))
	if err != nil {
		t.Fatal(err)
	}
	return rc.Events
}

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	c := receiving(t, nil, vectorKey)
	if _, err := c.Receive(delivery(vectorSignature, vectorBody)); err != nil {
		t.Errorf("the vector was refused: %v", err)
	}
	for i := range vectorBody {
		altered := []byte(vectorBody)
		altered[i] ^= 1
		if _, err := c.Receive(delivery(vectorSignature, string(altered))); !errors.Is(err, connectors.ErrSignature) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for _, wrong := range []string{strings.TrimPrefix(vectorSignature, "sha1="), "sha256" + strings.TrimPrefix(vectorSignature, "sha1"), "sha1=", "sha1=zz"} {
		if _, err := c.Receive(delivery(wrong, vectorBody)); !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// TestProbes: HEAD is not signed, a ping is; neither is an event.
func TestProbes(t *testing.T) {
	t.Parallel()
	c := receiving(t, nil, "k-of-the-test")
	if rc, err := c.Receive(&connectors.Request{Method: http.MethodHead}); err != nil || len(rc.Events) != 0 {
		t.Errorf("HEAD: %+v, %v", rc, err)
	}
	if _, err := c.Receive(&connectors.Request{Method: http.MethodGet}); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("GET: %v", err)
	}
	ping := `{"type":"notification_event","app_id":"ab12cd34","id":null,"topic":"ping","data":{"item":{"type":"ping","message":"something something interzen"}}}`
	if events := receive(t, c, "k-of-the-test", ping); len(events) != 0 {
		t.Errorf("ping: %+v", events)
	}
	if _, err := c.Receive(delivery("sha1=00", ping)); !errors.Is(err, connectors.ErrSignature) {
		t.Errorf("a forged ping: %v", err)
	}
}

// TestOtherWorkspace: one app may tell of several workspaces.
func TestOtherWorkspace(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string]string{"workspace_id": "ab12cd34"}, "k-of-the-test")
	for app, want := range map[string]string{"ab12cd34": "contact.deleted", "zz99": "other_workspace"} {
		events := receive(t, c, "k-of-the-test", `{"app_id":"`+app+`","id":"n1","topic":"contact.deleted","data":{"item":{"id":"c1"}}}`)
		if len(events) != 1 || events[0].Type != want {
			t.Errorf("%s: %+v", app, events)
		}
	}
	a := receive(t, c, "k-of-the-test", `{"app_id":"ab12cd34","id":"n1","topic":"contact.deleted"}`)
	b := receive(t, c, "k-of-the-test", `{"app_id":"zz99","id":"n1","topic":"contact.deleted"}`)
	if a[0].Dedupe == b[0].Dedupe {
		t.Error("notifications of two workspaces are taken as one")
	}
}

// TestDedupe: a second delivery differs in its attempts only.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := receiving(t, nil, "k-of-the-test")
	a := receive(t, c, "k-of-the-test", `{"app_id":"ab","id":"n1","topic":"contact.deleted","delivery_attempts":1,"created_at":1795166100}`)
	b := receive(t, c, "k-of-the-test", `{"app_id":"ab","id":"n1","topic":"contact.deleted","delivery_attempts":2,"created_at":1795166100}`)
	if a[0].Dedupe != b[0].Dedupe || a[0].At.Time().Unix() != 1795166100 {
		t.Errorf("%+v and %+v", a, b)
	}
}

// TestEchoOfAMadeContact: a contact that a push made is not taken for somebody
// who signed up, or for a new lead.
func TestEchoOfAMadeContact(t *testing.T) {
	t.Parallel()
	for role, topic := range map[string]string{"user": "contact.user.created", "lead": "contact.lead.created"} {
		v := newVendor(t)
		cfg := config(v.URL)
		cfg.Push.Create = true
		cfg.Settings["role_if_new"] = role
		r := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Customer", nil, nil))[0]
		if r.VendorID == "" || len(r.Written) == 0 {
			t.Fatalf("%s: %+v", role, r)
		}
		body := `{"app_id":"ab","id":"n1","topic":"` + topic + `","data":{"item":{"type":"contact","id":"` + r.VendorID + `","external_id":null,"role":"` + role + `","email":"dana@example.com","phone":null,"name":null,"unsubscribed_from_emails":false,"custom_attributes":{"sb_stage":"Customer"}}}}`
		told := receive(t, receiving(t, nil, "k-of-the-test"), "k-of-the-test", body)[0]
		if diff := cmp.Diff(r.Written, told.Written); diff != "" {
			t.Errorf("%s (-pushed +told):\n%s", role, diff)
		}
	}
}

// TestEcho: what a push lists as written is what the events of it show.
func TestEcho(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("user", "u-42", "dana@example.com")
	c := open(t, config(v.URL))
	r := connectortest.Push(t, c, person("dana@example.com", "Customer", []string{"At_Risk"}, nil))[0]
	if len(r.Written) == 0 {
		t.Fatal("nothing is listed as written")
	}
	body := `{"app_id":"ab","id":"n1","topic":"contact.user.updated","data":{"item":{"type":"contact","id":"` + id + `","external_id":"u-42","role":"user","email":"dana@example.com","phone":null,"name":null,"unsubscribed_from_emails":false,"last_seen_at":1795166999,"custom_attributes":{"sb_stage":"Customer","plan_name":null}}}}`
	tagged := `{"app_id":"ab","id":"n2","topic":"contact.user.tag.created","data":{"item":{"type":"contact_tag","tag":{"type":"tag","id":"81","name":"sb:at_risk"},"contact":{"type":"contact","id":"` + id + `"}}}}`
	var told []connectors.Field
	for _, text := range []string{body, tagged} {
		told = append(told, receive(t, c, "client-secret-now", text)[0].Written...)
	}
	if diff := cmp.Diff(r.Written, told); diff != "" {
		t.Errorf("(-pushed +told):\n%s", diff)
	}
	other := receive(t, c, "client-secret-now", strings.Replace(body, `"name":null`, `"name":"Dana"`, 1))[0].Written
	if cmp.Equal(told[:len(other)], other) {
		t.Error("a change of the name is not told")
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		vectorBody, "{}", "null", "[]", `{"topic":"\u0000"}`, `{"topic":"ticket.created","data":{"item":{"ticket":{"contacts":{"contacts":[{"id":"1"}]}}}}}`,
		`{"topic":"conversation.user.replied","data":{"item":{"conversation_parts":{"conversation_parts":[null,{"author":{"type":"user","id":"c"}}]}}}}`,
		`{"topic":"contact.user.updated","data":{"item":{"id":"1","custom_attributes":{"a":[1,{"b":null}]}}}}`, `{"topic":"x","created_at":9999999999999999999}`,
	} {
		f.Add([]byte(seed))
	}
	c := receiving(f, map[string]string{"workspace_id": "ab"}, "k-of-the-test")
	f.Fuzz(func(t *testing.T, body []byte) {
		rc, err := c.Receive(delivery(sign("k-of-the-test", body), string(body)))
		if err != nil || len(rc.Events) > 1 {
			t.Fatalf("an authentic request gives %+v, %v", rc, err)
		}
		for _, e := range rc.Events {
			if e.Type == "" || len(e.Type) > 120 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || !bytes.Equal(e.Body, body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
