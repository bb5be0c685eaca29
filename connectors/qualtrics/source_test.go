package qualtrics

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// The scheme of event subscriptions, computed as well with
// openssl dgst -sha512 -hmac qx-shared-key.
const (
	vectorKey  = "qx-shared-key"
	vectorMsg  = `{"Status":"Complete","SurveyID":"SV_1","ResponseID":"R_1"}`
	vectorSign = "6a27a85a98289a300539fb8b626c7aed7b76ef046c6fbf656b61ed2539b40060a76b39f4ef4aef9ce0110576e530612831a81a5ccf7f2a98f91fb3ea014ae2d0"
)

func receiving(t testing.TB, secrets map[string][]secret.Text) *Connector {
	t.Helper()
	c, err := Vendor().Open(connectors.Config{ID: "surveys", Secrets: secrets, Settings: map[string]string{fieldCentre: "fra1", fieldDirectory: "POOL_1"}})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Connector)
}

func post(body string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{}}
}

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{secretShared: {secret.New(vectorKey)}})
	topic := "Topic=acmebrand.surveyengine.completedResponse.SV_1&MSG="
	receipt, err := c.Receive(post(topic + url.QueryEscape(vectorMsg) + "&HMAC=" + vectorSign))
	if err != nil || len(receipt.Events) != 1 {
		t.Fatalf("the vector: %v, %v", receipt, err)
	}
	if e := receipt.Events[0]; e.Type != completed || string(e.Body) != vectorMsg || !e.NeedsRecord {
		t.Errorf("event = %+v", e)
	}
	// The text is signed, not its spelling in the form.
	spelled := strings.NewReplacer("{", "%7b", " ", "%20").Replace(vectorMsg)
	if _, err := c.Receive(post(topic + spelled + "&HMAC=" + strings.ToUpper(vectorSign))); err != nil {
		t.Errorf("spelled otherwise: %v", err)
	}
	for i := range len(vectorMsg) {
		altered := []byte(vectorMsg)
		altered[i] ^= 1
		if _, err := c.Receive(post(topic + url.QueryEscape(string(altered)) + "&HMAC=" + vectorSign)); !errors.Is(err, connectors.ErrSignature) {
			t.Fatalf("byte %d altered: %v", i, err)
		}
	}
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{secretShared: {secret.New(vectorKey)}, secretWorkflow: {secret.New("")}})
	good := "MSG=" + url.QueryEscape(vectorMsg) + "&HMAC=" + vectorSign
	put := post(good)
	put.Method = http.MethodPut
	below, workflow := post(good), post("{}")
	below.Path, workflow.Path = "/other", "/workflow"
	for name, tt := range map[string]struct {
		r    *connectors.Request
		want error
	}{
		"two signatures":      {post(good + "&HMAC=" + vectorSign), connectors.ErrSignature},
		"two messages":        {post(good + "&MSG=x"), connectors.ErrSignature},
		"no message":          {post("HMAC=" + vectorSign), connectors.ErrSignature},
		"unsigned":            {post("Topic=a&SurveyID=SV_1"), connectors.ErrUnsigned},
		"not encoded":         {post("MSG=%zz&HMAC=" + vectorSign), connectors.ErrSignature},
		"another method":      {put, connectors.ErrUnsupported},
		"another path":        {below, connectors.ErrUnsupported},
		"an empty secret":     {workflow, connectors.ErrUnconfigured},
		"very many fields":    {post(strings.Repeat("a=b&", 200) + good), connectors.ErrUnsigned},
		"a signature cut off": {post(strings.TrimSuffix(good, vectorSign) + vectorSign[:64]), connectors.ErrSignature},
	} {
		if _, err := c.Receive(tt.r); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	c := receiving(t, map[string][]secret.Text{})
	const topic = "acmebrand.surveyengine.completedResponse.SV_1"
	first := c.event(topic, []byte(vectorMsg)).Dedupe
	if first != c.event("other.surveyengine.completedResponse.SV_1", []byte(vectorMsg+" ")).Dedupe {
		t.Error("the same response is two events")
	}
	if first == c.event("acmebrand.surveyengine.partialResponse.SV_1", []byte(vectorMsg)).Dedupe {
		t.Error("two events of a response are one")
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{vectorMsg, "", "null", "[[[[", `{"IsTest":[]}`, `{"event":"a","responseId":{}}`, `{"SurveyID":1}`, "\xff", `{"event":"response.completed","nps":9}`} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	c := receiving(f, map[string][]secret.Text{secretShared: {secret.New("s")}, secretWorkflow: {secret.New("w")}})
	f.Fuzz(func(t *testing.T, body []byte, workflow bool) {
		mac := hmac.New(sha512.New, []byte("s"))
		mac.Write(body)
		r := post(url.Values{"MSG": {string(body)}, "HMAC": {hex.EncodeToString(mac.Sum(nil))}}.Encode())
		if workflow {
			r = post(string(body))
			r.Path = workflowPath
			r.Header.Set(workflowHeader, "w")
		}
		receipt, err := c.Receive(r)
		if err != nil || len(receipt.Events) != 1 {
			t.Fatalf("an authentic request: %v, %v", receipt, err)
		}
		e := receipt.Events[0]
		if e.Type == "" || len(e.Type) > 80 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || string(e.Body) != string(body) || e.Broken != "" && e.NeedsRecord {
			t.Errorf("raw event %+v", e)
		}
	})
}
