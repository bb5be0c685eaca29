package surveymonkey

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// The scheme of the page "Webhooks", computed as well with
// openssl dgst -sha1 -hmac 'client123&secret456' -binary | base64.
const (
	vectorBody = `{"event_id":"evt-1","event_type":"response_completed"}`
	vectorSign = "hmT97ClDXlbADKGGiN5Cfggdzlo="
)

func receiving(t testing.TB, secrets map[string][]secret.Text) *Connector {
	t.Helper()
	secrets[secretToken] = []secret.Text{secret.New("access")}
	c, err := Vendor().Open(connectors.Config{ID: "surveys", Settings: map[string]string{fieldClientID: "client123"}, Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Connector)
}

func post(body, signature string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{signatureHeader: {signature}}}
}

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{secretClient: {secret.New("secret456")}})
	receipt, err := c.Receive(post(vectorBody, vectorSign))
	if err != nil || len(receipt.Events) != 1 || receipt.Events[0].Type != completed {
		t.Fatalf("the vector: %v, %v", receipt, err)
	}
	for i := range len(vectorBody) {
		altered := []byte(vectorBody)
		altered[i] ^= 1
		if _, err := c.Receive(post(string(altered), vectorSign)); !errors.Is(err, connectors.ErrSignature) {
			t.Fatalf("byte %d altered: %v", i, err)
		}
	}
	// The secret alone is not the key.
	mac := hmac.New(sha1.New, []byte("secret456"))
	mac.Write([]byte(vectorBody))
	if _, err := c.Receive(post(vectorBody, base64.StdEncoding.EncodeToString(mac.Sum(nil)))); !errors.Is(err, connectors.ErrSignature) {
		t.Errorf("signed with the secret alone: %v", err)
	}
}

func TestNoProofConfigured(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{secretClient: {secret.New("")}})
	if _, err := c.Receive(post(vectorBody, vectorSign)); !errors.Is(err, connectors.ErrUnconfigured) {
		t.Errorf("error = %v", err)
	}
	if _, err := c.Receive(&connectors.Request{Method: http.MethodPut}); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("PUT = %v", err)
	}
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	key := func(body string) [32]byte { return event([]byte(body)).Dedupe }
	first := key(`{"event_type":"response_completed","event_id":"1","object_id":"7","resources":{"survey_id":"4"}}`)
	if first != key(`{"event_type":"response_completed","object_id":7}`) {
		t.Error("what the poll finds is not what the webhook told")
	}
	if key(`{"event_type":"response_updated","event_id":"1","object_id":"7"}`) == key(`{"event_type":"response_updated","event_id":"2","object_id":"7"}`) {
		t.Error("two answered pages are one event")
	}
	if key(`{"event_type":"response_updated","event_id":"1"}`) == key(`{"event_type":"response_deleted","event_id":"1"}`) {
		t.Error("two types are one event")
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{vectorBody, "", "null", "[[[[", `{"event_type":1}`, `{"event_type":"a","event_id":{}}`, `{"resources":[]}`, "\xff"} {
		f.Add([]byte(seed))
	}
	c := receiving(f, map[string][]secret.Text{secretClient: {secret.New("s")}})
	f.Fuzz(func(t *testing.T, body []byte) {
		mac := hmac.New(sha1.New, []byte("client123&s"))
		mac.Write(body)
		receipt, err := c.Receive(post(string(body), base64.StdEncoding.EncodeToString(mac.Sum(nil))))
		if err != nil || len(receipt.Events) != 1 {
			t.Fatalf("an authentic request: %v, %v", receipt, err)
		}
		e := receipt.Events[0]
		if e.Type == "" || len(e.Type) > 60 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || e.Broken != "" && e.NeedsRecord {
			t.Errorf("raw event %+v", e)
		}
	})
}
