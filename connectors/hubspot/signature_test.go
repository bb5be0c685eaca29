package hubspot

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// vector is a v3 signature computed apart from this code.
const (
	vectorURL  = "https://bridge.example.com/in/hubspot"
	vectorV3   = "Qiq+QXQ4ZvJberz88ALu+QbMnR++qCuVHXP/hFLzYrY="
	vectorBody = `[{"eventId":90001,"subscriptionId":701,"portalId":4400112,"appId":556677,"occurredAt":1764547199000,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":880011,"propertyName":"lifecyclestage","propertyValue":"customer","changeSource":"CRM_UI","sourceId":"userId:331"}]`
)

// Vectors published for the older versions (developers.hubspot.com, "Validating
// requests", read 2026-11).
const (
	publishedSecret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
	publishedV1Body = `[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]`
	publishedV1     = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
)

func vectorRequest() *connectors.Request {
	return &connectors.Request{
		Method: http.MethodPost, URL: vectorURL, Body: []byte(vectorBody),
		Header: http.Header{headerV3: {vectorV3}, headerTimestamp: {"1764547200000"}},
	}
}

func oldRequest(version, signature, url, body string) *connectors.Request {
	r := &connectors.Request{Method: http.MethodPost, URL: url, Body: []byte(body), Header: http.Header{headerOld: {signature}}}
	if version != "" {
		r.Header.Set(headerVersion, version)
	}
	return r
}

func TestVerify(t *testing.T) {
	t.Parallel()
	// SHA-256 of secret + POST + address + body, computed with sha256sum.
	const v2 = "ddc7372ed5a8832c0ec4ecc7b0e0356dde32de05146c53731e4c61469f7c8fbd"
	published := withSecret(secretClient, publishedSecret)
	for _, c := range []struct {
		name    string
		request *connectors.Request
		alter   func(*connectors.Request)
		config  []func(*connectors.Config)
		now     time.Duration // from the vector's time
		want    error
	}{
		{name: "v3 vector", request: vectorRequest()},
		{name: "v3 at the edge of the tolerance", request: vectorRequest(), now: 5 * time.Minute},
		{name: "v3 too old", request: vectorRequest(), now: 5*time.Minute + time.Second, want: connectors.ErrStale},
		{name: "v3 too far ahead", request: vectorRequest(), now: -5*time.Minute - time.Second, want: connectors.ErrStale},
		{name: "v3 body changed by one byte", request: vectorRequest(), alter: func(r *connectors.Request) { r.Body = []byte(strings.Replace(vectorBody, "90001", "90002", 1)) }, want: connectors.ErrSignature},
		{name: "v3 other address", request: vectorRequest(), alter: func(r *connectors.Request) { r.URL += "/" }, want: connectors.ErrSignature},
		{name: "v3 other method", request: vectorRequest(), alter: func(r *connectors.Request) { r.Method = "PUT" }, want: connectors.ErrSignature},
		{name: "v3 other timestamp", request: vectorRequest(), alter: func(r *connectors.Request) { r.Header.Set(headerTimestamp, "1764547200001") }, want: connectors.ErrSignature},
		{name: "v3 without timestamp", request: vectorRequest(), alter: func(r *connectors.Request) { r.Header.Del(headerTimestamp) }, want: connectors.ErrSignature},
		{name: "v3 not base64", request: vectorRequest(), alter: func(r *connectors.Request) { r.Header.Set(headerV3, "%%%") }, want: connectors.ErrSignature},
		{name: "v3 empty", request: vectorRequest(), alter: func(r *connectors.Request) { r.Header.Set(headerV3, "") }, want: connectors.ErrSignature},
		{name: "v3 twice", request: vectorRequest(), alter: func(r *connectors.Request) { r.Header.Add(headerV3, vectorV3) }, want: connectors.ErrSignature},
		{name: "v3 with the previous secret", request: vectorRequest(), config: []func(*connectors.Config){withSecret(secretClient, "the new one", testSecret)}},
		{name: "v3 with neither secret", request: vectorRequest(), config: []func(*connectors.Config){withSecret(secretClient, "the new one", "the old one")}, want: connectors.ErrSignature},
		{name: "v3 wrong is not rescued by v1", request: oldRequest("v1", publishedV1, vectorURL, publishedV1Body), alter: func(r *connectors.Request) {
			r.Header.Set(headerV3, vectorV3)
			r.Header.Set(headerTimestamp, "1764547200000")
		}, config: []func(*connectors.Config){published}, want: connectors.ErrSignature},
		{name: "no secret", request: vectorRequest(), config: []func(*connectors.Config){func(c *connectors.Config) { delete(c.Secrets, secretClient) }}, want: connectors.ErrUnconfigured},
		{name: "empty secret", request: vectorRequest(), config: []func(*connectors.Config){withSecret(secretClient, "")}, want: connectors.ErrUnconfigured},
		{name: "no signature", request: vectorRequest(), alter: func(r *connectors.Request) { r.Header = http.Header{} }, want: connectors.ErrUnsigned},
		{name: "v1 published vector", request: oldRequest("v1", publishedV1, vectorURL, publishedV1Body), config: []func(*connectors.Config){published}},
		{name: "v1 without the version header", request: oldRequest("", publishedV1, vectorURL, publishedV1Body), config: []func(*connectors.Config){published}},
		{name: "v1 in capitals", request: oldRequest("v1", strings.ToUpper(publishedV1), vectorURL, publishedV1Body), config: []func(*connectors.Config){published}},
		{name: "v1 body changed by one byte", request: oldRequest("v1", publishedV1, vectorURL, publishedV1Body+" "), config: []func(*connectors.Config){published}, want: connectors.ErrSignature},
		{name: "v1 signature under v2", request: oldRequest("v2", publishedV1, vectorURL, publishedV1Body), config: []func(*connectors.Config){published}, want: connectors.ErrSignature},
		{name: "v2", request: oldRequest("v2", v2, vectorURL, vectorBody)},
		{name: "v2 other address", request: oldRequest("v2", v2, vectorURL+"x", vectorBody), want: connectors.ErrSignature},
		{name: "unknown version", request: oldRequest("v9", publishedV1, vectorURL, publishedV1Body), config: []func(*connectors.Config){published}, want: connectors.ErrSignature},
		{name: "v1 where v3 is demanded", request: oldRequest("v1", publishedV1, vectorURL, publishedV1Body), config: []func(*connectors.Config){published, setting(settingV3, "true")}, want: connectors.ErrUnsigned},
		{name: "v3 where v3 is demanded", request: vectorRequest(), config: []func(*connectors.Config){setting(settingV3, "true")}},
		{name: "v1 twice", request: oldRequest("v1", publishedV1, vectorURL, publishedV1Body), alter: func(r *connectors.Request) { r.Header.Add(headerOld, publishedV1) }, config: []func(*connectors.Config){published}, want: connectors.ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := testConfig(c.config...)
			config.Push.Enabled = false
			config.Now = func() time.Time { return testNow.Add(c.now) }
			if c.alter != nil {
				c.alter(c.request)
			}
			connector := mustOpen(t, config)
			err := connector.verify(c.request)
			if !errors.Is(err, c.want) {
				t.Fatalf("verify gives %v, want %v", err, c.want)
			}
			if c.want == nil {
				return
			}
			var reject *connectors.RejectError
			if !errors.As(err, &reject) || reject.Detail == "" {
				t.Errorf("the error is %#v, want a *connectors.RejectError with a detail", err)
			}
			if strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), "lifecyclestage") {
				t.Errorf("the error shows a secret or the body: %v", err)
			}
		})
	}
}

func TestDecodeURI(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://a.example.com/hooks/x":             "https://a.example.com/hooks/x",
		"/p?a=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B": "/p?a=:/?@!$'()*,;",
		"/p?a=%3a%2f":             "/p?a=:/",
		"/p?a=%20%26%3D%25%2B%23": "/p?a=%20%26%3D%25%2B%23",
		"/p?a=%253A":              "/p?a=%253A",
		"/p?a=%3":                 "/p?a=%3",
		"/p?a=%":                  "/p?a=%",
	} {
		if got := decodeURI(given); got != want {
			t.Errorf("decodeURI(%q) = %q, want %q", given, got, want)
		}
	}
}

// A query whose escapes HubSpot undoes is signed in its plain form.
func TestVerifyDecodesTheAddress(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, testConfig())
	r := signed(`[]`)
	Sign(r.Header, secret.New(testSecret), r.Method, "https://bridge.example.com/hooks/hubspot-eu?at=10:30", r.Body, testNow)
	r.URL = "https://bridge.example.com/hooks/hubspot-eu?at=10%3A30"
	if err := c.verify(r); err != nil {
		t.Errorf("verify: %v", err)
	}
}
