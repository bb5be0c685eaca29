package sendgrid_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/sendgrid"
	"github.com/stagebridge/stagebridge/connectors/sendgrid/sendgridsim"
	"github.com/stagebridge/stagebridge/secret"
)

// keyPair is a key that a webhook is signed with, and how SendGrid shows it.
type keyPair struct {
	private *ecdsa.PrivateKey
	public  string
}

func newKeyPair() keyPair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return keyPair{key, base64.StdEncoding.EncodeToString(der)}
}

func (k keyPair) sign(stamp string, body []byte) string {
	sum := sha256.Sum256(append([]byte(stamp), body...))
	der, err := ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// vendor is a simulated SendGrid that notes every request.
type vendor struct {
	*sendgridsim.Sim
	url string

	mu       sync.Mutex
	requests []string
}

func newVendor(t *testing.T, front http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{Sim: sendgridsim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.requests = append(v.requests, r.Method+" "+r.URL.Path)
		v.mu.Unlock()
		if front != nil {
			front(w, r)
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// count is how often a request was made since the start.
func (v *vendor) count(request string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, r := range v.requests {
		if r == request {
			n++
		}
	}
	return n
}

// open connects with what the vendor takes; change edits it first.
func open(t *testing.T, v *vendor, change func(*connectors.Config)) *sendgrid.Connector {
	t.Helper()
	cfg := conforming()
	settings, secrets := v.Connection(v.url)
	cfg.Settings, cfg.Secrets = settings, map[string][]secret.Text{}
	for name, plain := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(plain)}
	}
	cfg.Push.Enabled = true
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second, Now: cfg.Now})
	if change != nil {
		change(&cfg)
	}
	c, err := sendgrid.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*sendgrid.Connector)
}

func person(email, stage string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage}}
}
