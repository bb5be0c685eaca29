package zendesk_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/zendesk"
	"github.com/stagebridge/stagebridge/connectors/zendesk/zendesksim"
	"github.com/stagebridge/stagebridge/secret"
)

// The vector was computed with
// printf '%s' "$stamp$body" | openssl dgst -sha256 -hmac "$key" -binary | base64
const (
	vectorKey       = "lb-test-secret-zendesk"
	vectorStamp     = "2026-11-20T09:15:00Z"
	vectorBody      = `{"type":"zen:event-type:user.created","id":"z-1"}`
	vectorSignature = "rPi0DcqFevYmsiej9p+6CGaN3y3wzoZTHC9RriqqAEw="
)

func receiving(t testing.TB, secrets map[string][]secret.Text) *zendesk.Connector {
	t.Helper()
	c, err := zendesk.Vendor().Open(connectors.Config{ID: "support", PublicURL: "https://bridge.example.com/hooks/support", Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*zendesk.Connector)
}

func delivery(signature, stamp, body string) *connectors.Request {
	at, _ := time.Parse(time.RFC3339, vectorStamp)
	return &connectors.Request{Method: http.MethodPost, Body: []byte(body), Received: at.Add(time.Minute), Header: http.Header{
		"X-Zendesk-Webhook-Signature": {signature}, "X-Zendesk-Webhook-Signature-Timestamp": {stamp},
	}}
}

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{"signing_secret": {secret.New(vectorKey)}})
	if _, err := c.Receive(delivery(vectorSignature, vectorStamp, vectorBody)); err != nil {
		t.Errorf("the vector was refused: %v", err)
	}
	for i := range vectorBody {
		altered := []byte(vectorBody)
		altered[i] ^= 1
		if _, err := c.Receive(delivery(vectorSignature, vectorStamp, string(altered))); !errors.Is(err, connectors.ErrSignature) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	if _, err := c.Receive(delivery(vectorSignature, "2026-11-20T09:15:01Z", vectorBody)); !errors.Is(err, connectors.ErrSignature) {
		t.Errorf("another timestamp: %v", err)
	}
}

// TestTimestampForms: the header is signed as text, whatever its precision.
func TestTimestampForms(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{"signing_secret": {secret.New(vectorKey)}})
	for stamp, want := range map[string]error{
		"2026-11-20T09:15:00.123Z": nil, "2026-11-20T10:15:00+01:00": nil, "1795166100": connectors.ErrStale, "yesterday": connectors.ErrStale,
	} {
		_, err := c.Receive(delivery(sign(vectorKey, stamp, []byte(vectorBody)), stamp, vectorBody))
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", stamp, err, want)
		}
	}
}

// TestTwoWebhooks: event webhook and trigger webhook have a secret each.
func TestTwoWebhooks(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{"signing_secret": {secret.New("events")}, "trigger_signing_secret": {secret.New("triggers"), secret.New("triggers-before")}})
	body := `{"sb":1,"event":"ticket_solved","ticket_id":"35500","email":"dana@example.com"}`
	for key, want := range map[string]error{"events": nil, "triggers": nil, "triggers-before": nil, "": connectors.ErrSignature, "other": connectors.ErrSignature} {
		if _, err := c.Receive(delivery(sign(key, vectorStamp, []byte(body)), vectorStamp, body)); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("signed with %q: %v, want %v", key, err, want)
		}
	}
}

func TestMethod(t *testing.T) {
	t.Parallel()
	r := delivery(vectorSignature, vectorStamp, vectorBody)
	r.Method = http.MethodGet
	if _, err := receiving(t, nil).Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("GET: %v", err)
	}
}

// TestWritten: what our own writes come back as names the field, or the tags.
func TestWritten(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{"signing_secret": {secret.New("signing-secret-now")}})
	for name, tt := range map[string]struct {
		body string
		want []connectors.Field
	}{
		"field":        {`{"type":"zen:event-type:user.custom_field_changed","detail":{"id":"7"},"event":{"field":{"id":360000,"title":"Lifecycle stage"},"current":"Customer","previous":"Trial"}}`, []connectors.Field{{Record: "7", Name: "field 360000", Value: "Customer"}}},
		"custom field": {`{"type":"zen:event-type:user.custom_field_changed","detail":{"id":"7"},"event":{"custom_field":{"id":"360000"},"current":null}}`, []connectors.Field{{Record: "7", Name: "field 360000"}}},
		"no field":     {`{"type":"zen:event-type:user.custom_field_changed","detail":{"id":"7"},"event":[]}`, nil},
		"tags":         {`{"type":"zen:event-type:user.tags_changed","detail":{"id":"7"},"event":{"added":{"tags":["sb_a","vip"]},"removed":{"tags":["sb_b"]}}}`, []connectors.Field{{Record: "7", Name: "tag sb_a", Value: "added"}, {Record: "7", Name: "tag vip", Value: "added"}, {Record: "7", Name: "tag sb_b", Value: "removed"}}},
		"odd tags":     {`{"type":"zen:event-type:user.tags_changed","detail":{"id":"7"},"event":{"added":{"tags":"sb_a"}}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rc, err := c.Receive(delivery(sign("signing-secret-now", vectorStamp, []byte(tt.body)), vectorStamp, tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, rc.Events[0].Written); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEcho: a push lists its writes just as the events of them do.
func TestEcho(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddUser("dana@example.com", []string{"sb_promoters"})
	r := connectortest.Push(t, open(t, config(v.URL)), person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"}))[0]
	want := []connectors.Field{
		{Record: id, Name: "field 360000", Value: "Customer"},
		{Record: id, Name: "tag sb_at_risk", Value: "added"}, {Record: id, Name: "tag sb_promoters", Value: "removed"},
	}
	if diff := cmp.Diff(want, r.Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		vectorBody, "{}", "null", "[]", `{"type":"zen:event-type/user.merged","event":{"user":{"id":"1"}}}`, `{"event":"\u0000"}`,
		`{"type":"zen:event-type:user.tags_changed","event":{"added":{"tags":[1]}}}`, `{"type":"zen:event-type:","time":"0000-01-01T00:00:00Z"}`, "{\"type\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	_, secrets := zendesksim.New().Connection("")
	cfg := config("https://acme.zendesk.com")
	cfg.Secrets["api_token"] = []secret.Text{secret.New(secrets["api_token"])}
	c, err := zendesk.Vendor().Open(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := delivery(sign("signing-secret-now", vectorStamp, body), vectorStamp, string(body))
		rc, err := c.(*zendesk.Connector).Receive(r)
		if err != nil || len(rc.Events) != 1 {
			t.Fatalf("an authentic request gives %+v, %v", rc, err)
		}
		e := rc.Events[0]
		if e.Type == "" || len(e.Type) > 120 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || !bytes.Equal(e.Body, body) {
			t.Errorf("raw event %+v", e)
		}
	})
}
