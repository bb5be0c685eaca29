package demandbase_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/demandbase"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
)

const signature = "X-DemandbaseAPI-AlertDataSignature"

// The vector was computed with OpenSSL: printf '%s' BODY | openssl dgst -sha1
// -hmac SECRET.
const (
	vectorSecret = "db-signing-secret"
	vectorBody   = `{"subscriptionType":"company","pageNo":0}`
	vectorHex    = "721a4d3e304750c4db5a097ae2a38b3bfec22f83"
)

func delivery(body, proof string) *connectors.Request {
	r := &connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{}, Received: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	if proof != "" {
		r.Header.Set(signature, proof)
	}
	return r
}

func vectorConnection(t *testing.T) *demandbase.Connector {
	t.Helper()
	c, _ := start(t, func(cfg *connectors.Config) {
		cfg.Secrets["signing_secret"] = []secret.Text{secret.New(vectorSecret)}
	})
	return c
}

func TestReceiveVector(t *testing.T) {
	t.Parallel()
	c := vectorConnection(t)
	mac, err := hex.DecodeString(vectorHex)
	if err != nil {
		t.Fatal(err)
	}
	for name, proof := range map[string]string{"hex": vectorHex, "base64": base64.StdEncoding.EncodeToString(mac)} {
		got, err := c.Receive(delivery(vectorBody, proof))
		if err != nil || len(got.Events) != 1 || got.Events[0].Type != "alert" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, r := range map[string]*connectors.Request{
		"a changed byte":      delivery(vectorBody[:len(vectorBody)-2]+"1}", vectorHex),
		"a changed signature": delivery(vectorBody, "8"+vectorHex[1:]),
		"cut off":             delivery(vectorBody, vectorHex[:38]),
	} {
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Demandbase asks with HEAD whether the address is a webhook of ours.
func TestReceiveValidates(t *testing.T) {
	t.Parallel()
	c := vectorConnection(t)
	for given, want := range map[string]string{"a1B2-c3": "a1B2-c3", "": "", "a\r\nSet-Cookie: x": "", "\u00e9": ""} {
		r := &connectors.Request{Method: http.MethodHead, Header: http.Header{}}
		r.Header.Set("X-DemandbaseAPI-ValidationCode", given)
		got, err := c.Receive(r)
		if err != nil || len(got.Events) != 0 || got.Reply.Header.Get("X-DemandbaseAPI-ValidationCode") != want {
			t.Errorf("%q: %+v, %v", given, got, err)
		}
	}
	if _, err := c.Receive(&connectors.Request{Method: http.MethodGet, Header: http.Header{}}); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("GET: %v", err)
	}
}

// Without an alert's id, a repeat is the same on the same day only.
func TestReceiveKnowsARepeat(t *testing.T) {
	t.Parallel()
	c := vectorConnection(t)
	keys := func(body string, day int) [][32]byte {
		t.Helper()
		mac := sign(vectorSecret, body)
		r := delivery(body, mac)
		r.Received = r.Received.AddDate(0, 0, day)
		got, err := c.Receive(r)
		if err != nil {
			t.Fatal(err)
		}
		var all [][32]byte
		for _, e := range got.Events {
			all = append(all, e.Dedupe)
		}
		return all
	}
	if slices.Equal(keys(people, 0), keys(people, 1)) || !slices.Equal(keys(people, 0), keys(people, 0)) {
		t.Error("without an id the day does not decide")
	}
	named := `{"alertId":"77",` + people[1:]
	if !slices.Equal(keys(named, 0), keys(named, 1)) {
		t.Error("an alert's id does not decide")
	}
}

func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := demandbase.Vendor().Descriptor
	rs, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "abm", Connector: d.ID})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var known []string
	for _, e := range d.Events {
		known = append(known, e.Type)
	}
	unknown := slices.DeleteFunc(rs.Types(), func(typ string) bool { return slices.Contains(known, typ) })
	if diff := cmp.Diff(0, len(unknown)); diff != "" {
		t.Errorf("rules name %v, the descriptor does not", unknown)
	}
}

// FuzzReceive gives signed bytes: always a receipt with something in it.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{people, vectorBody, "{}", "null", "[]", `{"companyAlertDetails":[1,null,"a"]}`, `{"companyNewsAlertDetails":[{"timestamp":"2026-11-20T09:00:00Z"}]}`} {
		f.Add([]byte(seed))
	}
	conn, err := demandbase.Vendor().Open(connectors.Config{Secrets: map[string][]secret.Text{"signing_secret": {secret.New(vectorSecret)}}})
	if err != nil {
		f.Fatal(err)
	}
	c := conn.(*demandbase.Connector)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := c.Receive(delivery(string(body), sign(vectorSecret, string(body))))
		if err != nil || len(got.Events) == 0 {
			t.Fatalf("receive: %+v, %v", got, err)
		}
		for _, e := range got.Events {
			if e.Type == "" || e.Dedupe == [32]byte{} || len(e.Body) > len(body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
