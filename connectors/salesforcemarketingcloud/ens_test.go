package salesforcemarketingcloud_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	sfmc "github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud"
	sfmcsim "github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud/salesforcemarketingcloudsim"
	"github.com/stagebridge/stagebridge/secret"
)

const hook = "https://bridge.example.com/hooks/mc-eu"

// TestSignatureVector was computed with openssl, the body without a line break:
//
//	openssl dgst -sha256 -hmac lb-test-signature-key -binary body.json | base64
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	const good = "7SW1Wkv35Y5OfB1vjdTR+pH9YAeP0RafmaQtVzQ8+Ck="
	const body = `[{"eventCategoryType":"EngagementEvents.EmailUnsubscribe","timestampUTC":1764547200000,"mid":510001,"eid":510000,"composite":{"jobId":"9001","batchId":"17","listId":"301","subscriberId":"70001"},"info":{"to":"dana@example.com","domain":"example.com","unsubscribeDate":1764547199000,"unsubscribeMethod":"Click"}}]`
	c := open(t, "https://proxy.example.com", func(c *connectors.Config) {
		c.Secrets["signature_key"] = []secret.Text{secret.New("lb-test-signature-key")}
	})
	for _, tt := range []struct {
		name, header, body string
		want               error
	}{
		{"good", good, body, nil},
		{"one byte of the body", good, strings.Replace(body, "dana", "dane", 1), connectors.ErrSignature},
		{"one byte of the signature", strings.Replace(good, "7S", "7T", 1), body, connectors.ErrSignature},
		{"not base64", "7SW1", body, connectors.ErrSignature},
		{"empty", "", body, connectors.ErrUnsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(tt.body), Header: http.Header{"X-Sfmc-Ens-Signature": {tt.header}}})
			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// question is a challenge as the vendor asks it.
func question(path, body string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Path: path, Body: []byte(body), Header: http.Header{}}
}

// TestRegister goes the whole way: the callback is made, its question comes
// while the call is running, and taking it from the inbox verifies and subscribes.
func TestRegister(t *testing.T) {
	t.Parallel()
	sim, base := unit(t)
	fresh := open(t, base, func(c *connectors.Config) { delete(c.Secrets, "signature_key") })
	var asked *connectors.Receipt
	sim.Challenge = func(url string, body []byte) bool {
		path, ours := strings.CutPrefix(url, hook)
		rc, err := fresh.Receive(question(path, string(body)))
		if !ours || err != nil || len(rc.Events) != 1 {
			t.Errorf("the question to %s is answered with %+v, %v", url, rc, err)
			return false
		}
		asked = rc
		return true
	}
	made, err := fresh.Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	key := made.Secrets["signature_key"]
	if key.Empty() || made.URL != hook || !asked.Events[0].NeedsRecord {
		t.Fatalf("registered %+v, asked %+v", made, asked)
	}
	lookup := connectors.Lookup{Type: asked.Events[0].Type, Body: asked.Events[0].Body}
	for range 2 { // the second time as after a crash
		records, err := fresh.Enrich(t.Context(), []connectors.Lookup{lookup, {Type: "x"}})
		if err != nil || records[0].Err != nil || !bytes.Contains(records[0].JSON, []byte(`"verified":true`)) || records[1].JSON != nil {
			t.Fatalf("records = %+v, %v", records, err)
		}
	}
	keyed := open(t, base, func(c *connectors.Config) { c.Secrets["signature_key"] = []secret.Text{key} })
	there, err := keyed.Registered(t.Context())
	if err != nil || len(there) != 1 || !slices.Equal(there[0].Types, made.Types) || there[0].URL != hook {
		t.Fatalf("registered are %+v, %v", there, err)
	}
	fewer, err := keyed.Register(t.Context(), []string{"EngagementEvents.EmailClick"})
	if err != nil || fewer.ID != made.ID || fewer.Secrets != nil {
		t.Fatalf("registered again %+v, %v", fewer, err)
	}
	if there, err := keyed.Registered(t.Context()); err != nil || !slices.Equal(there[0].Types, []string{"EngagementEvents.EmailClick"}) {
		t.Errorf("registered are %+v, %v", there, err)
	}
	// Without its key a callback is of no use.
	again, err := fresh.Register(t.Context(), nil)
	if err != nil || again.ID == made.ID || again.Secrets["signature_key"].Empty() {
		t.Fatalf("registered anew %+v, %v", again, err)
	}
	// Neither is one whose question was never answered.
	third, err := keyed.Register(t.Context(), nil)
	if err != nil || third.ID == again.ID {
		t.Errorf("registered a third time %+v, %v", third, err)
	}
	for range 2 {
		if err := keyed.Unregister(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := keyed.Registered(t.Context()); err != nil || len(there) != 0 {
		t.Errorf("still there: %+v, %v", there, err)
	}
}

// TestRegisterRefused: where our endpoint is not reached, the vendor's words say so.
func TestRegisterRefused(t *testing.T) {
	t.Parallel()
	sim, base := unit(t)
	sim.Challenge = func(string, []byte) bool { return false }
	_, err := open(t, base, nil).Register(t.Context(), nil)
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonInvalid || !strings.Contains(e.Message, "verification") {
		t.Errorf("error = %v", err)
	}
	if _, err := open(t, base, func(c *connectors.Config) { c.PublicURL = "" }).Register(t.Context(), nil); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("error = %v", err)
	}
}

// TestEnrichTooEarly: the vendor may not know the callback yet.
func TestEnrichTooEarly(t *testing.T) {
	t.Parallel()
	_, base := unit(t)
	c := open(t, base, nil)
	records, err := c.Enrich(t.Context(), []connectors.Lookup{{Type: "ens.challenge", Body: []byte(`{"callbackId":"cb-9","verificationKey":"k"}`)}})
	if err != nil || records[0].Err == nil || !records[0].Err.Retryable {
		t.Errorf("records = %+v, %v", records, err)
	}
	wrong := open(t, base, func(c *connectors.Config) { c.Secrets["client_secret"] = []secret.Text{secret.New("x")} })
	_, err = wrong.Enrich(t.Context(), []connectors.Lookup{{Type: "ens.challenge", Body: []byte(`{"callbackId":"cb-9","verificationKey":"k"}`)}})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("error = %v", err)
	}
}

// TestChallengeIsProved: an unsigned request is taken on the secret path only,
// and only if it is the question.
func TestChallengeIsProved(t *testing.T) {
	t.Parallel()
	sim, base := unit(t)
	path := ""
	sim.Challenge = func(url string, _ []byte) bool {
		path = strings.TrimPrefix(url, hook)
		return true
	}
	c := open(t, base, nil)
	if _, err := c.Register(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	const body = `{"callbackId":"cb-1","verificationKey":"k"}`
	if rc, err := c.Receive(question(path, body)); err != nil || len(rc.Events) != 1 || rc.Events[0].Type != "ens.challenge" {
		t.Fatalf("receipt %+v, %v", rc, err)
	}
	other := open(t, base, func(c *connectors.Config) { c.ID = "mc-us" })
	renewed := open(t, base, func(c *connectors.Config) {
		c.Secrets["client_secret"] = []secret.Text{secret.New("a new one"), secret.New(sfmcsim.ClientSecret)}
	})
	if _, err := renewed.Receive(question(path, body)); err != nil {
		t.Errorf("while the client secret is rotated: %v", err)
	}
	for _, tt := range []struct {
		name string
		c    *sfmc.Connector
		r    *connectors.Request
		want error
	}{
		{"no path", c, question("", body), connectors.ErrUnsigned},
		{"another path", c, question(path[:len(path)-1]+"x", body), connectors.ErrUnsigned},
		{"another connection's", other, question(path, body), connectors.ErrUnsigned},
		{"no question", c, question(path, `[{"eventCategoryType":"A.B"}]`), connectors.ErrUnsigned},
		{"half a question", c, question(path, `{"callbackId":"cb-1"}`), connectors.ErrUnsigned},
		{"with a wrong signature", c, &connectors.Request{Method: http.MethodPost, Path: path, Body: []byte(body), Header: http.Header{"X-Sfmc-Ens-Signature": {"x"}}}, connectors.ErrSignature},
		{"GET", c, &connectors.Request{Method: http.MethodGet, Path: path}, connectors.ErrUnsupported},
	} {
		if _, err := tt.c.Receive(tt.r); !errors.Is(err, tt.want) {
			t.Errorf("%s: error = %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestDedupe: two clicks of one person in one mail are two events, the same one
// delivered in another batch is one.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := open(t, "https://proxy.example.com", nil)
	of := func(body string) [][32]byte {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"X-Sfmc-Ens-Signature": {sfmcsim.Sign("signature-key-now", []byte(body))}}})
		if err != nil {
			t.Fatal(err)
		}
		var keys [][32]byte
		for _, e := range rc.Events {
			keys = append(keys, e.Dedupe)
		}
		return keys
	}
	const click = `{"eventCategoryType":"EngagementEvents.EmailClick","timestampUTC":1764547400000,"mid":510001,"composite":{"jobId":"1","subscriberId":"7"},"info":{"jobUrlId":"555"}}`
	other := strings.Replace(click, "555", "556", 1)
	asText := strings.Replace(click, `"mid":510001`, `"mid":"510001"`, 1)
	keys := of("[" + click + " , " + other + "]")
	if len(keys) != 2 || keys[0] == keys[1] || of(click)[0] != keys[0] || of("[" + asText + "]")[0] != keys[0] {
		t.Errorf("keys %x", keys)
	}
	const bare = `{"eventCategoryType":"EngagementEvents.EmailClick","info":{"to":"a@example.com"}}`
	if of(bare)[0] == of(strings.Replace(bare, "a@", "b@", 1))[0] {
		t.Error("events without particulars are one")
	}
}

// FuzzReceive gives signed bytes: an authentic request is always a receipt, and
// every raw event is a part of the body that fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`[{"eventCategoryType":"A.B","timestampUTC":1764547400000},7,null,[]]`, `{"eventCategoryType":"A.B","composite":[],"info":7}`,
		`{"callbackId":"c","verificationKey":"k"}`, "[]", "[", "null", "", "\xff", `{"eventCategoryType":"\u0000"}`, ` [ {} , {} ] `,
	} {
		f.Add([]byte(seed))
	}
	c := open(f, "https://proxy.example.com", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Sfmc-Ens-Signature": {sfmcsim.Sign("signature-key-now", body)}}})
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		for _, e := range rc.Events {
			if e.Type == "" || len(e.Type) > 100 || e.Dedupe == [32]byte{} || !bytes.Contains(body, e.Body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
