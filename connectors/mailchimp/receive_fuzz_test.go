package mailchimp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// FuzzReceive gives signed bytes to both readers: an authentic request is
// always a receipt, and every raw event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		vectorBody, "type=cleaned&data%5Bemail%5D=a%40example.com", "type=profile&data[merges][A][B]=1&data[merges][]=2", "&&=&a=b=c", "%", "type=%00",
		mandrillList, "[]", `[{"type":"blacklist"},{"event":"a","event":"b"},7]`, "[[[[", `{"event":1}`, "null",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	connector, err := Vendor().Open(connectors.Config{
		ID: "newsletter", PublicURL: "https://bridge.example.com/hooks/newsletter",
		Settings: map[string]string{fieldAPIChanges: "on"},
		Secrets:  map[string][]secret.Text{secretSigning: {secret.New("s")}, secretTransactional: {secret.New("t")}},
	})
	if err != nil {
		f.Fatal(err)
	}
	c := connector.(*Connector)
	f.Fuzz(func(t *testing.T, body []byte, transactional bool) {
		r := &connectors.Request{Method: http.MethodPost, Header: http.Header{}, Body: body, Received: received}
		if transactional {
			mac := hmac.New(sha1.New, []byte("t"))
			mac.Write([]byte("https://bridge.example.com/hooks/newsletter/transactional" + transactionalField))
			mac.Write(body)
			r.Path = transactionalPath
			r.Header.Set(transactionalHeader, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			r.Body = []byte(url.Values{transactionalField: {string(body)}}.Encode())
		} else {
			stamp := strconv.FormatInt(received.Unix(), 10)
			mac := hmac.New(sha256.New, []byte("s"))
			mac.Write([]byte(stamp + "."))
			mac.Write(body)
			r.Header.Set(signatureHeader, "t="+stamp+",v1="+hex.EncodeToString(mac.Sum(nil)))
		}
		receipt, err := c.Receive(r)
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		if !transactional && len(receipt.Events) != 1 {
			t.Fatalf("%d events in an audience webhook", len(receipt.Events))
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > maxTypeBytes || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || len(e.Body) > len(r.Body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
