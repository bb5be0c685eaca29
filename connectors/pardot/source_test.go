package pardot_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/pardot"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
)

// The vector was computed with Python's hmac module.
const (
	vectorSecret = "pardot-action-secret"
	vectorBody   = `{"event_id":"1","event":"program_step","prospect":{"id":565722}}`
	vectorHex    = "b9b61bb35655bd9b2d9d2e68f2ee543104d9708cc4849a3ef29bb4cc8223af7f"
)

func signed(cfg *connectors.Config) {
	cfg.Settings["proof"] = "hmac"
	cfg.Secrets["webhook_secret"] = []secret.Text{secret.New(vectorSecret)}
}

func TestReceiveVector(t *testing.T) {
	t.Parallel()
	c, _ := start(t, signed)
	request := func(body, signature string) *connectors.Request {
		return &connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"X-Stagebridge-Signature": {signature}}}
	}
	if got, err := c.Receive(request(vectorBody, vectorHex)); err != nil || got.Events[0].Type != "action.program_step" {
		t.Errorf("receive: %+v, %v", got, err)
	}
	for name, r := range map[string]*connectors.Request{
		"a changed byte":      request(vectorBody[:len(vectorBody)-3]+"3}}", vectorHex),
		"a changed signature": request(vectorBody, "0"+vectorHex[1:]),
		"not hex":             request(vectorBody, "x"),
	} {
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The secret itself is no proof where bodies are to be signed.
	r := request(vectorBody, "")
	r.Header = http.Header{"X-Stagebridge-Key": {vectorSecret}}
	if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsigned) {
		t.Errorf("the secret itself: %v", err)
	}
	r = request(vectorBody, vectorHex)
	r.Method = http.MethodGet
	if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("a GET: %v", err)
	}
}

func TestReceiveKnowsARepeat(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	keys := map[[32]byte]bool{}
	for _, body := range []string{
		`{"event_id":"1","event":"program_step","prospect":{"id":1}}`,
		`{"event_id":"1","event":"program_step","prospect":{"id":1},"program":"x"}`,
		`{"event":"program_step","prospect":{"id":1}}`,
		`{"event":"program_step","prospect":{"id":2}}`,
	} {
		got, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"X-Stagebridge-Key": {"webhook-secret-of-the-stand-in"}}})
		if err != nil {
			t.Fatal(err)
		}
		keys[got.Events[0].Dedupe] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d keys, want 3: one id twice, and two without", len(keys))
	}
}

func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := pardot.Vendor().Descriptor
	rs, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "marketing", Connector: d.ID})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var known []string
	for _, e := range d.Events {
		known = append(known, e.Type)
	}
	for _, typ := range rs.Types() {
		if !slices.Contains(known, typ) {
			t.Errorf("a rule names %s, the descriptor does not", typ)
		}
	}
}

// FuzzReceive gives authentic bytes: always a receipt with one event.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{step, vectorBody, "{}", "null", "[]", `{"event":"a","prospect":{}}`, `{"event":1,"prospect":[]}`} {
		f.Add([]byte(seed))
	}
	conn, err := pardot.Vendor().Open(connectors.Config{Secrets: map[string][]secret.Text{"webhook_secret": {secret.New("s")}}})
	if err != nil {
		f.Fatal(err)
	}
	c := conn.(*pardot.Connector)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Stagebridge-Key": {"s"}}})
		if err != nil || len(r.Events) != 1 {
			t.Fatalf("receive: %+v, %v", r, err)
		}
		if e := r.Events[0]; e.Type == "" || len(e.Type) > 60 || e.Dedupe == [32]byte{} {
			t.Errorf("raw event %+v", e)
		}
	})
}
