package connectortest

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// SourceCase describes how a vendor delivers.
type SourceCase struct {
	// Secret names the field that the sender is proved with.
	Secret string
	// Keys are three values of it: the current one, the one before, and one
	// that the connection never had.
	Keys [3]secret.Text
	// Body of a good delivery.
	Body []byte
	// Types of the raw events it brings, in order.
	Types []string
	// Request makes the delivery of a body as the vendor does, signed with the
	// key at an instant. Method, URL and Received may be left empty: POST, the
	// connection's public URL, the suite's clock.
	Request func(cfg connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request
	// Headers carry the proof. Without any the proof is in the URL, and Unsign
	// must be given.
	Headers []string
	// Unsign takes the proof off; nil removes Headers.
	Unsign func(*connectors.Request)
	// BodyUnsigned marks a proof that does not depend on the body: a token, a
	// secret in the URL. Then an altered body cannot be told.
	BodyUnsigned bool
	// Tolerance of the proof's own time; zero when it has none.
	Tolerance time.Duration
	// Undecodable are bodies that no delivery of this vendor's may be; the
	// suite adds its own, see hostile.go.
	Undecodable [][]byte
	// AnyBody marks a source that takes bodies of any form, so that an odd one
	// need not be Broken.
	AnyBody bool
}

// delivery makes a request at the suite's clock.
func (s *SourceCase) delivery(cfg connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
	r := s.Request(cfg, key, at, body)
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	if r.URL == "" {
		r.URL = cfg.PublicURL + r.Path
		if r.Query != "" {
			r.URL += "?" + r.Query
		}
	}
	if r.Received.IsZero() {
		r.Received = cfg.Now()
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	return r
}

// openSource opens the connection with the given live secrets.
func (c Case) openSource(t testing.TB, keys ...secret.Text) (connectors.Source, opened) {
	o := c.open(t, func(cfg *connectors.Config) { cfg.Secrets[c.Source.Secret] = keys })
	return o.connector.(connectors.Source), o
}

func runSource(t *testing.T, c Case) {
	s := c.Source
	current, previous, other := s.Keys[0], s.Keys[1], s.Keys[2]
	src, o := c.openSource(t, current)
	make := func(key secret.Text, at time.Time) *connectors.Request {
		return s.delivery(o.config, key, at, bytes.Clone(s.Body))
	}
	now := o.config.Now()

	t.Run("good", func(t *testing.T) {
		r := make(current, now)
		rc := accept(t, src, r)
		if diff := cmp.Diff(s.Types, typesOf(rc)); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
		for i, e := range rc.Events {
			if e.Broken != "" {
				t.Errorf("event %d is broken: %s", i, e.Broken)
			}
			if e.Dedupe == [32]byte{} {
				t.Errorf("event %d has no dedupe key", i)
			}
		}
		if !bytes.Equal(r.Body, s.Body) {
			t.Error("the request's body was changed")
		}
	})
	t.Run("wrong", func(t *testing.T) { reject(t, src, o, make(other, now), connectors.ErrSignature) })
	t.Run("missing", func(t *testing.T) {
		r := make(current, now)
		s.unsign(r)
		reject(t, src, o, r, connectors.ErrUnsigned)
	})
	t.Run("no secret", func(t *testing.T) {
		bare := c.fill()
		clear(bare.Secrets) // another secret may stand in for the one
		conn, err := c.Vendor.Open(bare)
		if err != nil {
			return // refused at the door, which is as good
		}
		reject(t, conn.(connectors.Source), o, make(current, now), connectors.ErrUnconfigured)
	})
	t.Run("stale", func(t *testing.T) {
		if s.Tolerance == 0 {
			t.Skip("the proof has no time")
		}
		reject(t, src, o, make(current, now.Add(-s.Tolerance-2*time.Second)), connectors.ErrStale)
		reject(t, src, o, make(current, now.Add(s.Tolerance+2*time.Second)), connectors.ErrStale)
		accept(t, src, make(current, now.Add(-s.Tolerance+2*time.Second)))
	})
	t.Run("doubled", func(t *testing.T) {
		if len(s.Headers) == 0 {
			t.Skip("the proof is not in a header")
		}
		for _, name := range s.Headers {
			r := make(current, now)
			r.Header.Add(name, r.Header.Get(name))
			t.Run(name, func(t *testing.T) {
				reject(t, src, o, r, connectors.ErrSignature)
				r := make(current, now)
				r.Header.Add(name, make(other, now).Header.Get(name)+"x")
				reject(t, src, o, r, connectors.ErrSignature)
			})
		}
	})
	t.Run("altered byte", func(t *testing.T) {
		if s.BodyUnsigned {
			t.Skip("the proof does not cover the body")
		}
		for _, at := range []int{0, len(s.Body) / 2, len(s.Body) - 1} {
			r := make(current, now)
			r.Body[at] ^= 1
			reject(t, src, o, r, connectors.ErrSignature)
		}
		r := make(current, now)
		r.Body = append(r.Body, '\n')
		reject(t, src, o, r, connectors.ErrSignature)
	})
	t.Run("rotation", func(t *testing.T) {
		both, _ := c.openSource(t, current, previous)
		accept(t, both, make(current, now))
		accept(t, both, make(previous, now))
		reject(t, both, o, make(other, now), connectors.ErrSignature)
	})
	t.Run("same delivery twice", func(t *testing.T) {
		first := dedupes(accept(t, src, make(current, now)))
		again := dedupes(accept(t, src, make(current, now.Add(s.Tolerance/2))))
		if !slices.Equal(first, again) {
			t.Error("a delivery repeated later has other dedupe keys")
		}
		seen := map[[32]byte]bool{}
		for i, k := range first {
			if seen[k] {
				t.Errorf("event %d has the dedupe key of another", i)
			}
			seen[k] = true
		}
	})
	t.Run("hostile", func(t *testing.T) { runHostile(t, c) })
	checkClean(t, o.config, "the log", o.log.String())
}

func (s *SourceCase) unsign(r *connectors.Request) {
	if s.Unsign != nil {
		s.Unsign(r)
		return
	}
	for _, name := range s.Headers {
		r.Header.Del(name)
	}
}

// accept demands a receipt.
func accept(t *testing.T, src connectors.Source, r *connectors.Request) *connectors.Receipt {
	t.Helper()
	rc, err := src.Receive(r)
	if err != nil {
		t.Fatalf("an authentic request was refused: %v", err)
	}
	if rc == nil {
		t.Fatal("no receipt and no error")
	}
	return rc
}

// reject demands a refusal of a kind, with nothing secret in it.
func reject(t *testing.T, src connectors.Source, o opened, r *connectors.Request, want error) {
	t.Helper()
	rc, err := src.Receive(r)
	var e *connectors.RejectError
	switch {
	case err == nil:
		t.Errorf("accepted with %d events, want %v", len(rc.Events), want)
		return
	case !errors.As(err, &e) || !errors.Is(err, want):
		t.Errorf("error = %v, want a *RejectError of %v", err, want)
	case rc != nil:
		t.Error("a receipt beside the error")
	case e.Detail == "":
		t.Error("the refusal does not say what was wrong")
	}
	checkClean(t, o.config, "the refusal", err.Error())
}

func typesOf(rc *connectors.Receipt) []string {
	var types []string
	for _, e := range rc.Events {
		types = append(types, e.Type)
	}
	return types
}

func dedupes(rc *connectors.Receipt) [][32]byte {
	var keys [][32]byte
	for _, e := range rc.Events {
		keys = append(keys, e.Dedupe)
	}
	return keys
}
