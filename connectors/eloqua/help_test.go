package eloqua_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/eloqua"
	"github.com/stagebridge/stagebridge/connectors/eloqua/eloquasim"
	"github.com/stagebridge/stagebridge/secret"
)

var now = time.Date(2026, 11, 20, 9, 5, 0, 0, time.UTC)

const address = "https://bridge.example.com/hooks/eloqua"

// sign gives the query of a call as Eloqua signs it: the parameters, OAuth's
// own, and the signature over both. Names are in small letters, so that the
// order is the same by any rule.
func sign(method, address, query, key string, at time.Time) string {
	params, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"oauth_consumer_key": eloquasim.ClientID, "oauth_nonce": "7654321", "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": fmt.Sprint(at.Unix()), "oauth_version": "1.0",
	} {
		params.Set(name, value)
	}
	var names, joined []string
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		joined = append(joined, escape(name)+"="+escape(params.Get(name)))
	}
	mac := hmac.New(sha1.New, []byte(key+"&"))
	mac.Write([]byte(method + "&" + escape(address) + "&" + escape(strings.Join(joined, "&"))))
	params.Set("oauth_signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return params.Encode()
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// call makes a signed call of Eloqua's.
func call(method, path, query, key string, at time.Time, body []byte) *connectors.Request {
	q := sign(method, address+path, query, key, at)
	return &connectors.Request{Method: method, Path: path, Query: q, URL: address + path + "?" + q, Header: http.Header{}, Body: body, Received: now}
}

// vendor is a simulated Eloqua that notes every request.
type vendor struct {
	*eloquasim.Sim
	url string

	mu       sync.Mutex
	requests []string // method, path with query, body
	fail     func(w http.ResponseWriter, r *http.Request) (done bool)
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: eloquasim.New()}
	server := httptest.NewServer(http.HandlerFunc(v.serve))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

func (v *vendor) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	v.mu.Lock()
	v.requests = append(v.requests, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)))
	fail := v.fail
	v.mu.Unlock()
	if fail == nil || !fail(w, r) {
		v.ServeHTTP(w, r)
	}
}

// took gives the requests since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.requests
	v.requests = nil
	return all
}

// failing answers requests of a method and path instead of the stand-in; a
// count below zero is for ever.
func (v *vendor) failing(method, path string, times int, status int, body string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fail = func(w http.ResponseWriter, r *http.Request) bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		if r.Method != method || !strings.HasSuffix(r.URL.Path, path) || times == 0 {
			return false
		}
		times--
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func config(v *vendor) connectors.Config {
	settings, secrets := v.Connection(v.url)
	cfg := connectors.Config{
		ID: "eloqua", Instance: "instance-1", PublicURL: address,
		Settings: settings, Secrets: map[string][]secret.Text{},
		Push: connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"C_Company": "company"}},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Now:  func() time.Time { return now },
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	return cfg
}

func open(t testing.TB, cfg connectors.Config) *eloqua.Connector {
	t.Helper()
	c, err := eloqua.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*eloqua.Connector)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}

// followed pushes and follows each job to its end, as the caller of a
// JobPoller does.
func followed(t *testing.T, c *eloqua.Connector, updates ...connectors.Update) []connectors.Result {
	t.Helper()
	results := connectortest.Push(t, c, updates...)
	for i, r := range results {
		if r.Outcome != connectors.Submitted {
			continue
		}
		u := updates[i]
		u.VendorID = r.VendorID
		ended, err := c.Poll(t.Context(), r.Job, []connectors.Update{u})
		if err != nil || len(ended) != 1 {
			t.Fatalf("poll: %+v, %v", ended, err)
		}
		if ended[0].VendorID == "" {
			ended[0].VendorID = r.VendorID
		}
		results[i] = ended[0]
	}
	return results
}
