package mailchimp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// The published scheme with values of our own.
const (
	vectorKey  = "lb-test-secret-mailchimp"
	vectorTime = 1795166100
	vectorBody = "type=subscribe&fired_at=2026-11-20+09%3A15%3A00&data%5Bemail%5D=dana%40example.com"
	vectorSign = "aa228bb8eeea92ae82f712a64afcba5d8478edf522c0ca6a92ca4fbf0c53321e"
)

// post builds a request to the audience's URL.
func post(body string, header http.Header, query string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Query: query, Header: header, Body: []byte(body), Received: received}
}

func signedBy(value ...string) http.Header { return http.Header{signatureHeader: value} }

// rejected checks that a request is refused for a reason.
func rejected(t *testing.T, c *Connector, r *connectors.Request, want error) {
	t.Helper()
	receipt, err := c.Receive(r)
	var reject *connectors.RejectError
	switch {
	case !errors.As(err, &reject):
		t.Errorf("got %v, %v, want the rejection %v", receipt, err, want)
	case !errors.Is(err, want):
		t.Errorf("got %v, want %v", err, want)
	case receipt != nil:
		t.Error("a receipt beside a rejection")
	}
}

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	c := opened(t, func(cfg *connectors.Config) { cfg.Secrets[secretSigning] = []secret.Text{secret.New(vectorKey)} })
	good := fmt.Sprintf("t=%d,v1=%s", vectorTime, vectorSign)
	receipt, err := c.Receive(post(vectorBody, signedBy(good), ""))
	if err != nil || len(receipt.Events) != 1 || receipt.Events[0].Type != "subscribe" {
		t.Fatalf("the vector: %v, %v", receipt, err)
	}
	for i := range len(vectorBody) {
		altered := []byte(vectorBody)
		altered[i] ^= 1
		rejected(t, c, post(string(altered), signedBy(good), ""), connectors.ErrSignature)
	}
	for i := range len(good) {
		altered := []byte(good)
		altered[i] ^= 1
		if strings.EqualFold(string(altered), good) {
			continue // hex of either case is the same signature
		}
		if receipt, err := c.Receive(post(vectorBody, signedBy(string(altered)), "")); err == nil {
			t.Errorf("header %q was taken: %v", altered, receipt)
		}
	}
}

func TestSignatureRefusals(t *testing.T) {
	t.Parallel()
	sign := func(key string, at int64) string {
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "%d.%s", at, vectorBody)
		return fmt.Sprintf("t=%d,v1=%s", at, hex.EncodeToString(mac.Sum(nil)))
	}
	const current, previous = "current-signing-secret", "previous-signing-secret"
	now := received.Unix()
	signing := func(cfg *connectors.Config) {
		cfg.Secrets = map[string][]secret.Text{
			secretSigning: {secret.New(current), secret.New(previous), secret.New("")},
			secretWebhook: {secret.New("url-secret")},
		}
	}
	urlOnly := func(cfg *connectors.Config) {
		cfg.Secrets = map[string][]secret.Text{secretWebhook: {secret.New("url secret/1"), secret.New("url-old"), secret.New("")}}
	}
	bare := func(cfg *connectors.Config) { cfg.Secrets = map[string][]secret.Text{secretSigning: {secret.New("")}} }
	both := http.Header{}
	both.Add(signatureHeader, sign(current, now))
	both.Add(signatureHeader, sign(current, now))
	for _, tt := range []struct {
		name    string
		secrets func(*connectors.Config)
		header  http.Header
		query   string
		want    error
	}{
		{"current secret", signing, signedBy(sign(current, now)), "", nil},
		{"previous secret", signing, signedBy(sign(previous, now)), "", nil},
		{"spaces and a later scheme", signing, signedBy(strings.Replace(sign(current, now), ",", ", v2=00, ", 1)), "", nil},
		{"at the edge of the tolerance", signing, signedBy(sign(current, now-300)), "", nil},
		{"other secret", signing, signedBy(sign("guess", now)), "", connectors.ErrSignature},
		{"empty secret", signing, signedBy(sign("", now)), "", connectors.ErrSignature},
		{"missing, though the URL's secret is right", signing, nil, "key=url-secret", connectors.ErrUnsigned},
		{"empty header", signing, signedBy(""), "", connectors.ErrUnsigned},
		{"header twice", signing, both, "", connectors.ErrSignature},
		{"v1 twice, as while a secret is changed", signing, signedBy(sign(current, now) + ",v1=00"), "", nil},
		{"t twice", signing, signedBy("t=1," + sign(current, now)), "", connectors.ErrSignature},
		{"no scheme", signing, signedBy("v1"), "", connectors.ErrSignature},
		{"stale", signing, signedBy(sign(current, now-301)), "", connectors.ErrStale},
		{"from the future", signing, signedBy(sign(current, now+301)), "", connectors.ErrStale},
		{"signed time beyond all times", signing, signedBy(sign(current, 1<<62)), "", connectors.ErrStale},

		{"url secret", urlOnly, nil, "key=url+secret%2F1", nil},
		{"url secret, previous", urlOnly, nil, "a=b&key=url-old", nil},
		{"url secret, wrong", urlOnly, nil, "key=guess", connectors.ErrSignature},
		{"url secret, missing", urlOnly, nil, "", connectors.ErrUnsigned},
		{"url secret, empty", urlOnly, nil, "key=", connectors.ErrUnsigned},
		{"url secret, twice", urlOnly, nil, "key=url-old&key=url-old", connectors.ErrSignature},
		{"url secret, broken query", urlOnly, nil, "key=%zz", connectors.ErrSignature},
		{"nothing configured", bare, signedBy(sign("", now)), "key=", connectors.ErrUnconfigured},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := opened(t, tt.secrets)
			r := post(vectorBody, tt.header, tt.query)
			if tt.want != nil {
				rejected(t, c, r, tt.want)
				return
			}
			if _, err := c.Receive(r); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestRejectionsHoldNoSecret(t *testing.T) {
	t.Parallel()
	c := opened(t, func(cfg *connectors.Config) {
		cfg.Secrets = map[string][]secret.Text{secretWebhook: {secret.New("url-secret")}}
	})
	_, err := c.Receive(post(vectorBody, nil, "key=url-secret-almost"))
	if err == nil || strings.Contains(err.Error(), "url-secret") || strings.Contains(err.Error(), "dana") {
		t.Errorf("the rejection: %v", err)
	}
}

func TestProbesAndMethods(t *testing.T) {
	t.Parallel()
	c := opened(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{"", "/", "/transactional", "/transactional/"} {
			receipt, err := c.Receive(&connectors.Request{Method: method, Path: path})
			if err != nil || len(receipt.Events) != 0 || receipt.Reply.Status != 0 {
				t.Errorf("%s %q: %v, %v", method, path, receipt, err)
			}
		}
	}
	rejected(t, c, &connectors.Request{Method: http.MethodPut}, connectors.ErrUnsupported)
	rejected(t, c, &connectors.Request{Method: http.MethodGet, Path: "/other"}, connectors.ErrUnsupported)
}

// The published Transactional scheme with values of our own.
const (
	mandrillKey  = "lb-test-key-mandrill"
	mandrillURL  = "https://bridge.example.com/in/mandrill"
	mandrillList = `[{"event":"open","ts":1795166100}]`
	mandrillSign = "xVrjCtmx9E71khusU3dRVnysJ+U="
)

func mandrillPost(list string, header ...string) *connectors.Request {
	r := post(url.Values{transactionalField: {list}}.Encode(), http.Header{}, "")
	r.Path = transactionalPath
	for _, v := range header {
		r.Header.Add(transactionalHeader, v)
	}
	return r
}

func TestTransactionalVector(t *testing.T) {
	t.Parallel()
	c := opened(t, func(cfg *connectors.Config) {
		cfg.Settings[fieldTransactional] = mandrillURL
		cfg.Secrets[secretTransactional] = []secret.Text{secret.New("newer"), secret.New(mandrillKey)}
	})
	receipt, err := c.Receive(mandrillPost(mandrillList, mandrillSign))
	if err != nil || len(receipt.Events) != 1 || receipt.Events[0].Type != "mandrill.open" {
		t.Fatalf("the vector: %v, %v", receipt, err)
	}
	if at := receipt.Events[0].At.Time(); !at.Equal(time.Unix(vectorTime, 0)) {
		t.Errorf("at %v", at)
	}
	for i := range len(mandrillList) {
		altered := []byte(mandrillList)
		altered[i] ^= 1
		rejected(t, c, mandrillPost(string(altered), mandrillSign), connectors.ErrSignature)
	}
	for i := range len(mandrillSign) - 1 {
		altered := []byte(mandrillSign)
		altered[i] ^= 1
		if decoded, err := base64.StdEncoding.DecodeString(string(altered)); err == nil && base64.StdEncoding.EncodeToString(decoded) == mandrillSign {
			continue
		}
		rejected(t, c, mandrillPost(mandrillList, string(altered)), connectors.ErrSignature)
	}
}

func TestTransactionalRefusals(t *testing.T) {
	t.Parallel()
	sign := func(key, list string) string {
		mac := hmac.New(sha1.New, []byte(key))
		mac.Write([]byte("https://bridge.example.com/hooks/newsletter/transactional" + transactionalField + list))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	const key = "transactional-key-of-the-example"
	c := opened(t, nil)
	unset := opened(t, func(cfg *connectors.Config) { delete(cfg.Secrets, secretTransactional) })

	rejected(t, c, mandrillPost(mandrillList), connectors.ErrUnsigned)
	rejected(t, c, mandrillPost(mandrillList, sign(key, mandrillList), sign(key, mandrillList)), connectors.ErrSignature)
	rejected(t, c, mandrillPost(mandrillList, sign("test-webhook", mandrillList)), connectors.ErrSignature)
	rejected(t, c, mandrillPost("[]", sign("guess", "[]")), connectors.ErrSignature)
	rejected(t, unset, mandrillPost(mandrillList, sign("", mandrillList)), connectors.ErrUnconfigured)
	broken := mandrillPost(mandrillList, sign(key, mandrillList))
	broken.Body = []byte("mandrill_events=%zz")
	rejected(t, c, broken, connectors.ErrMalformed)

	for _, list := range []string{"[]", " [ ] "} {
		receipt, err := unset.Receive(mandrillPost(list, sign("test-webhook", list)))
		if err != nil || len(receipt.Events) != 0 {
			t.Errorf("the test post %q before there is a key: %v, %v", list, receipt, err)
		}
	}
	long := "[" + strings.Repeat("{},", maxTransactional) + "{}]"
	receipt, err := c.Receive(mandrillPost(long, sign(key, long)))
	if err != nil || len(receipt.Events) != 1 || receipt.Events[0].Broken == "" {
		t.Errorf("a list beyond the bound: %d events, %v", len(receipt.Events), err)
	}
	deep := `[{"event":"open","msg":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}]"
	receipt, err = c.Receive(mandrillPost(deep, sign(key, deep)))
	if err != nil || len(receipt.Events) != 1 || receipt.Events[0].Broken == "" {
		t.Errorf("a list nested too deep: %v, %v", receipt, err)
	}
}
