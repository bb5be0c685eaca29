package calendly_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/calendly/calendlysim"
	"github.com/stagebridge/stagebridge/secret"
)

// TestSignatureVector was computed with openssl:
//
//	printf '1767225600.{"event":"invitee.created"}' | openssl dgst -sha256 -hmac cal-signing-key
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	const good = "35f2ee542ea2545fc904f5d32a05ba13a625069f931b04059f001cfd1a1b20e2"
	const body = `{"event":"invitee.created"}`
	c := open(t, "https://api.calendly.com", func(c *connectors.Config) {
		c.Secrets["signing_key"] = []secret.Text{secret.New("cal-signing-key")}
	})
	for _, tt := range []struct {
		name, header, body string
		want               error
	}{
		{"good", "t=1767225600,v1=" + good, body, nil},
		{"the other way round", "v1=" + good + ", t=1767225600", body, nil},
		{"a later scheme beside it", "t=1767225600,v1=" + good + ",v2=x", body, nil},
		{"one byte of the body", "t=1767225600,v1=" + good, strings.Replace(body, "created", "creatEd", 1), connectors.ErrSignature},
		{"one byte of the signature", "t=1767225600,v1=" + strings.Replace(good, "35", "36", 1), body, connectors.ErrSignature},
		{"one byte of the time", "t=1767225601,v1=" + good, body, connectors.ErrSignature},
		{"two times", "t=1767225600,t=1767225600,v1=" + good, body, connectors.ErrSignature},
		{"two signatures, as while a key is changed", "t=1767225600,v1=00,v1=" + good, body, nil},
		{"no time", "v1=" + good, body, connectors.ErrSignature},
		{"empty", "", body, connectors.ErrUnsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Receive(&connectors.Request{
				Method: http.MethodPost, Body: []byte(tt.body), Received: time.Unix(1767225890, 0),
				Header: http.Header{"Calendly-Webhook-Signature": {tt.header}},
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// receive signs a body and gives its one raw event.
func receive(t testing.TB, c connectors.Source, body string, late time.Duration) (connectors.RawEvent, error) {
	t.Helper()
	sent := time.Unix(1795166100, 0)
	rc, err := c.Receive(&connectors.Request{
		Method: http.MethodPost, Body: []byte(body), Received: sent.Add(late),
		Header: http.Header{"Calendly-Webhook-Signature": {calendlysim.Sign("signing-key-now", sent.Unix(), []byte(body))}},
	})
	if err != nil {
		return connectors.RawEvent{}, err
	}
	if len(rc.Events) != 1 {
		t.Fatalf("%d events", len(rc.Events))
	}
	return rc.Events[0], nil
}

// TestOldestSignature: a delivery that was repeated with its first signature is
// taken where the setting allows its age.
func TestOldestSignature(t *testing.T) {
	t.Parallel()
	const body = `{"event":"invitee.created"}`
	if _, err := receive(t, open(t, "https://api.calendly.com", nil), body, 20*time.Hour); !errors.Is(err, connectors.ErrStale) {
		t.Errorf("error = %v, want stale", err)
	}
	patient := open(t, "https://api.calendly.com", func(c *connectors.Config) { c.Settings["max_age_minutes"] = "1500" })
	if _, err := receive(t, patient, body, 20*time.Hour); err != nil {
		t.Errorf("error = %v", err)
	}
}

// TestDedupe: Calendly gives events no id; the record and the time make one.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := open(t, "https://api.calendly.com", nil)
	of := func(body string) [32]byte {
		e, err := receive(t, c, body, 0)
		if err != nil {
			t.Fatal(err)
		}
		return e.Dedupe
	}
	const event = `{"event":"invitee.created","created_at":"2026-11-20T09:15:00Z","payload":{"uri":"I1"}}`
	same := `{"created_at":"2026-11-20T09:15:00Z","event":"invitee.created","payload":{"name":"Ada","uri":"I1"}}`
	if of(event) != of(same) {
		t.Error("the same event with other particulars has another key")
	}
	for _, other := range []string{
		strings.Replace(event, "created\"", "canceled\"", 1), strings.Replace(event, "I1", "I2", 1), strings.Replace(event, "09:15", "09:16", 1),
		`{"event":"invitee.created","payload":{"uri":"I1"}}`, `{"event":"invitee.created","payload":[]}`,
	} {
		if of(event) == of(other) {
			t.Errorf("%s has the same key", other)
		}
	}
}

// TestOtherRequests: what is no delivery is refused, also below the URL.
func TestOtherRequests(t *testing.T) {
	t.Parallel()
	c := open(t, "https://api.calendly.com", nil)
	for _, r := range []*connectors.Request{{Method: http.MethodGet}, {Method: http.MethodPost, Path: "/more"}} {
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s %s: %v", r.Method, r.Path, err)
		}
	}
}

// FuzzReceive gives signed bytes: an authentic request is always one raw event
// that fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"event":"invitee.created","created_at":"2026-11-20T09:15:00.000000Z","payload":{"uri":"I1"}}`,
		`{"event":"x","created_at":"0000-01-01T00:00:00Z","payload":{"uri":7}}`, `{"event":"\u0000"}`, `{"event":[]}`, "[]", "null", "", "\xff", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	c := open(f, "https://api.calendly.com", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := receive(t, c, string(body), 0)
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		if e.Type == "" || len(e.Type) > 100 || e.Dedupe == [32]byte{} || string(e.Body) != string(body) {
			t.Errorf("raw event %+v", e)
		}
	})
}
