package connectors_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// TestTimedSignature holds each form of the header against what it proves.
func TestTimedSignature(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795166100, 0)
	v1 := func(key string, at int64, body string) string {
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "%d.%s", at, body)
		return "v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	good := v1("now", now.Unix(), "{}")
	s := connectors.TimedSignature{
		Header: "Acme-Signature", Secret: "signing_secret", Tolerance: 5 * time.Minute, Now: func() time.Time { return now },
		Keys:    connectors.Config{Secrets: map[string][]secret.Text{"signing_secret": {secret.New("now"), {}, secret.New("before")}}}.Keys("signing_secret"),
		Missing: "make the webhook anew",
	}
	for name, c := range map[string]struct {
		headers []string
		want    error
	}{
		"current":             {[]string{"t=1795166100," + good}, nil},
		"previous":            {[]string{"t=1795166100," + v1("before", now.Unix(), "{}")}, nil},
		"two signatures":      {[]string{"t=1795166100,v1=00," + good}, nil},
		"blanks and a scheme": {[]string{"v0=ff, t=1795166100, " + good}, nil},
		"upper case":          {[]string{"t=1795166100,v1=" + strings.ToUpper(good[3:])}, nil},
		"empty key":           {[]string{"t=1795166100," + v1("", now.Unix(), "{}")}, connectors.ErrSignature},
		"another body":        {[]string{"t=1795166100," + v1("now", now.Unix(), "{ }")}, connectors.ErrSignature},
		"another time":        {[]string{"t=1795166101," + good}, connectors.ErrSignature},
		"time twice":          {[]string{"t=1795166100,t=1795166100," + good}, connectors.ErrSignature},
		"too many":            {[]string{"t=1795166100," + strings.Repeat("v1=00,", 10) + good}, connectors.ErrSignature},
		"no signature":        {[]string{"t=1795166100"}, connectors.ErrSignature},
		"empty signature":     {[]string{"t=1795166100,v1="}, connectors.ErrSignature},
		"no time":             {[]string{good}, connectors.ErrSignature},
		"header twice":        {[]string{"t=1795166100," + good, "t=1795166100," + good}, connectors.ErrSignature},
		"none":                {nil, connectors.ErrUnsigned},
		"empty":               {[]string{""}, connectors.ErrUnsigned},
		"old":                 {[]string{"t=1795165799," + v1("now", 1795165799, "{}")}, connectors.ErrStale},
		"ahead":               {[]string{"t=1795166401," + v1("now", 1795166401, "{}")}, connectors.ErrStale},
		"just fresh":          {[]string{"t=1795165800," + v1("now", 1795165800, "{}")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := s.Verify(&connectors.Request{Body: []byte("{}"), Header: http.Header{"Acme-Signature": c.headers}})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("error = %v, want %v", err, c.want)
			}
			if errors.Is(c.want, connectors.ErrUnsigned) && !strings.HasSuffix(err.Error(), "; make the webhook anew") {
				t.Errorf("error = %v", err)
			}
		})
	}
	// When the request came counts before the clock.
	late := &connectors.Request{Body: []byte("{}"), Header: http.Header{"Acme-Signature": {"t=1795166100," + good}}, Received: now.Add(time.Hour)}
	if err := s.Verify(late); !errors.Is(err, connectors.ErrStale) {
		t.Errorf("an hour late: %v", err)
	}
	bare := s
	bare.Keys = nil
	if err := bare.Verify(late); !errors.Is(err, connectors.ErrUnconfigured) {
		t.Errorf("without a key: %v", err)
	}
}

// FuzzTimedSignature looks for a header that proves without the key.
func FuzzTimedSignature(f *testing.F) {
	for _, seed := range []string{"t=1,v1=00", "t=1", "v1=", ",,,", "t=1,t=1,v1=ff", "t==,v1==", "v1=00,v1=00,t=9223372036854775808"} {
		f.Add(seed, []byte("{}"))
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		s := connectors.TimedSignature{
			Header: "Acme-Signature", Secret: "s", Keys: []secret.Text{secret.New("a key nobody guesses")},
			Tolerance: time.Hour, Now: time.Now,
		}
		err := s.Verify(&connectors.Request{Body: body, Header: http.Header{"Acme-Signature": {header}}})
		if reject := (*connectors.RejectError)(nil); !errors.As(err, &reject) {
			t.Errorf("error = %v", err)
		}
	})
}
