package mailchimp_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

func keys(names ...string) [3]secret.Text {
	return [3]secret.Text{secret.New(names[0]), secret.New(names[1]), secret.New(names[2])}
}

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "newsletter", PublicURL: "https://bridge.example.com/hooks/newsletter",
		Settings: map[string]string{"audience_id": "a1b2c3d4e5", "api_changes": "on"},
		Secrets: map[string][]secret.Text{
			"api_key": {secret.New(apiKey)}, "signing_secret": {secret.New("signing-secret-now")},
			"transactional_key": {secret.New("transactional-key-of-the-example")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"COMPANY": "company"}},
		Now:  func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: mailchimp.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "signing_secret", Keys: keys("signing-secret-now", "signing-secret-before", "signing-secret-never"),
			Body:    []byte("type=profile&fired_at=2026-11-20+09%3A15%3A00&data%5Bemail%5D=dana%40example.com"),
			Types:   []string{"profile"},
			Headers: []string{"X-Mailchimp-Signature"}, Tolerance: 300 * time.Second,
			Undecodable: [][]byte{[]byte("data%5Bemail%5D=dana%40example.com"), []byte("type=profile&type=profile"), []byte("type=profile&a=%"), []byte("type=%00"), nil},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				mac := hmac.New(sha256.New, []byte(key.Reveal()))
				fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
				return &connectors.Request{Body: body, Header: http.Header{
					"X-Mailchimp-Signature": {fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))},
				}}
			},
		},
		Destination: destination(),
	})
}

// TestConformanceURLSecret is the same vendor before it signed its webhooks.
func TestConformanceURLSecret(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Secrets, "signing_secret")
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: cfg, Dir: "testdata/url-secret",
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys("url-secret-now", "url-secret-before", "url-secret-never"),
			Body: []byte("type=profile&data%5Bemail%5D=dana%40example.com"), Types: []string{"profile"},
			BodyUnsigned: true, Unsign: func(r *connectors.Request) { r.Query = "" },
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Query: "key=" + key.Reveal()}
			},
		},
	})
}

// TestConformanceTransactional is the other product of the vendor.
func TestConformanceTransactional(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: conforming(), Dir: "testdata/transactional",
		Source: &connectortest.SourceCase{
			Secret: "transactional_key", Keys: keys("transactional-key-of-the-example", "transactional-before", "transactional-never"),
			Body:    []byte(`mandrill_events=[{"event":"open","ts":1795166100,"_id":"m1"},{"event":"click","ts":1795166100,"_id":"m1"}]`),
			Types:   []string{"mandrill.open", "mandrill.click"},
			Headers: []string{"X-Mandrill-Signature"},
			Request: transactional,
		},
	})
}

// transactional is a delivery of the other product. Anything that is not its
// form travels inside one.
func transactional(cfg connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
	if !bytes.HasPrefix(body, []byte("mandrill_events=")) {
		body = []byte(url.Values{"mandrill_events": {string(body)}}.Encode())
	}
	mac := hmac.New(sha1.New, []byte(key.Reveal()))
	mac.Write([]byte(cfg.PublicURL + "/transactional"))
	fields, _ := url.ParseQuery(string(body))
	for _, value := range fields["mandrill_events"] {
		mac.Write([]byte("mandrill_events" + value))
	}
	return &connectors.Request{Method: http.MethodPost, Path: "/transactional", Body: body, Header: http.Header{
		"X-Mandrill-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}}
}

// receiving is the vendor with nothing but its source, for the other two ways
// in which it proves itself.
func receiving() connectors.Vendor {
	v := mailchimp.Vendor()
	open := v.Open
	v.Open = func(cfg connectors.Config) (connectors.Connector, error) {
		c, err := open(cfg)
		if err != nil {
			return nil, err
		}
		return source{c, c.(connectors.Source)}, nil
	}
	return v
}

type source struct {
	connectors.Connector
	connectors.Source
}

func destination() *connectortest.DestinationCase {
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			v := mailchimpsim.New(mailchimpsim.Options{Key: apiKey})
			v.AddField("SBSTAGE", "text", false)
			for _, u := range people() {
				v.AddMember(u.Email, "", nil)
			}
			serve(f, v)
		},
		Empty: func(f *connectortest.Fake) func() int {
			v := mailchimpsim.New(mailchimpsim.Options{Key: apiKey})
			v.AddField("SBSTAGE", "text", false)
			serve(f, v)
			return func() int { return len(v.Members()) }
		},
		Updates: people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			v := mailchimpsim.New(mailchimpsim.Options{Key: apiKey})
			v.AddField("SBSTAGE", "text", false)
			f.Handle("PUT /3.0/lists/{list}/members/{id}", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if bytes.Contains(body, []byte(u.Email)) {
					connectortest.Reply(http.StatusBadRequest, problem("Invalid Resource", "This address looks fake or invalid."))(w, r)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				v.ServeHTTP(w, r)
			})
		},
		OptsIn: func(r connectortest.Recorded) string {
			if r.Method == http.MethodGet {
				return ""
			}
			return touchesConsent(httptest.NewRequest(r.Method, r.Path, nil), r.Body)
		},
		Marks: map[string]string{"stage": "SBSTAGE", "segments": "sb:", "traits": "COMPANY"},
	}
}

// serve puts a simulated audience behind a fake.
func serve(f *connectortest.Fake, v *mailchimpsim.Sim) {
	for _, route := range []string{
		"GET /3.0/lists/{list}", "PUT /3.0/lists/{list}/members/{id}", "PATCH /3.0/lists/{list}/members/{id}",
		"POST /3.0/lists/{list}/members/{id}/tags", "GET /3.0/lists/{list}/segments", "POST /3.0/lists/{list}/segments",
		"POST /3.0/lists/{list}/segments/{segment}", "GET /3.0/lists/{list}/merge-fields",
	} {
		f.Handle(route, v.ServeHTTP)
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"COMPANY": "Acme"}},
		})
	}
	return all
}
