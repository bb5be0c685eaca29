package standin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// Bounds of a sink.
const (
	sinkBody      = 1 << 20
	sinkTolerance = 5 * time.Minute
	// sinkIDs of the newest messages are remembered, and up to as many more.
	sinkIDs = 1 << 20
)

// SinkOptions of a sink.
type SinkOptions struct {
	// Secrets that messages may be signed with, whsec_ and base64.
	Secrets []secret.Text
	// Accepted, when set, is called for every new message before it is
	// answered, by several requests at once.
	Accepted func(Message)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Message is one accepted message.
type Message struct {
	ID, Type string
	Customer Customer
	At       time.Time
}

// Customer is the state that a message told.
type Customer struct {
	ProfileID     string         `json:"profile_id"`
	CustomerID    string         `json:"customer_id"`
	Email         string         `json:"email"`
	Stage         string         `json:"stage"`
	PreviousStage string         `json:"previous_stage"`
	Sequence      int64          `json:"sequence"`
	Segments      []string       `json:"segments"`
	Traits        map[string]any `json:"traits"`
}

// SinkCounts of a sink since it was made.
type SinkCounts struct {
	// Accepted messages were new and signed; Duplicates came again under an id
	// that is known; Rejected ones were not signed well or not readable.
	Accepted, Duplicates, Rejected int64
}

// Sink is a receiver of Standard Webhooks that a careful developer could have
// written: it verifies every signature by code of its own, counts an id once,
// and keeps the last state of each customer. Safe for concurrent use.
type Sink struct {
	options SinkOptions
	keys    []*sync.Pool

	mu        sync.Mutex
	counts    SinkCounts
	customers map[string]Customer
	// Ids are kept in two halves; when the newer is full the older is dropped.
	newer, older map[string]struct{}
}

// NewSink makes a sink; the error is about the secrets.
func NewSink(o SinkOptions) (*Sink, error) {
	if len(o.Secrets) == 0 {
		return nil, errors.New("standin: a sink needs a secret to verify with")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sink{options: o, customers: map[string]Customer{}, newer: map[string]struct{}{}}
	for _, text := range o.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text.Reveal(), "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, errors.New("standin: a secret of the sink is not whsec_ and base64")
		}
		s.keys = append(s.keys, &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }})
	}
	return s, nil
}

// Counts gives the counters.
func (s *Sink) Counts() SinkCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Customers gives the last state by customer id, or by "profile:" and our
// number where the message had none.
func (s *Sink) Customers() map[string]Customer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.customers)
}

// Customer gives the last state of one.
func (s *Sink) Customer(id string) (Customer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.customers[id]
	return c, ok
}

// ServeHTTP implements http.Handler: 204 for a message that is signed, known
// or not; 401 for another; 400 for one that cannot be read.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sinkBody))
	if err != nil {
		s.reject(w, http.StatusRequestEntityTooLarge, "the body cannot be read")
		return
	}
	id := r.Header.Get("webhook-id")
	if err := s.verify(r.Header, id, body); err != nil {
		s.reject(w, http.StatusUnauthorized, err.Error())
		return
	}
	var m struct {
		Type string   `json:"type"`
		Data Customer `json:"data"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		s.reject(w, http.StatusBadRequest, "the body is not the JSON of a message")
		return
	}
	s.take(Message{ID: id, Type: m.Type, Customer: m.Data, At: s.options.Now()})
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sink) reject(w http.ResponseWriter, status int, why string) {
	s.mu.Lock()
	s.counts.Rejected++
	s.mu.Unlock()
	http.Error(w, why, status)
}

// verify checks time and signature as the specification says.
func (s *Sink) verify(h http.Header, id string, body []byte) error {
	stamp := h.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook-id or webhook-timestamp is missing")
	}
	if age := s.options.Now().Sub(time.Unix(seconds, 0)); age > sinkTolerance || age < -sinkTolerance {
		return fmt.Errorf("webhook-timestamp is more than %v away", sinkTolerance)
	}
	for _, key := range s.keys {
		var sum [sha256.Size]byte
		m := key.Get().(hash.Hash)
		m.Reset()
		io.WriteString(m, id+"."+stamp+".")
		m.Write(body)
		want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(sum[:0]))
		key.Put(m)
		for given := range strings.FieldsSeq(h.Get("webhook-signature")) {
			if hmac.Equal([]byte(given), []byte(want)) {
				return nil
			}
		}
	}
	return errors.New("no signature belongs to the message")
}

// take counts and remembers a message.
func (s *Sink) take(m Message) {
	if !s.remember(m) {
		return
	}
	if s.options.Accepted != nil {
		s.options.Accepted(m)
	}
}

// remember reports whether the message is new, and keeps its state unless a
// later one of that customer came first.
func (s *Sink) remember(m Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, inNewer := s.newer[m.ID]
	_, inOlder := s.older[m.ID]
	if inNewer || inOlder {
		s.counts.Duplicates++
		return false
	}
	if len(s.newer) >= sinkIDs {
		s.newer, s.older = map[string]struct{}{}, s.newer
	}
	s.newer[m.ID] = struct{}{}
	s.counts.Accepted++
	key := m.Customer.CustomerID
	switch {
	case key == "" && m.Customer.ProfileID == "":
		return true // a test message is about nobody
	case key == "":
		key = "profile:" + m.Customer.ProfileID
	}
	held := s.customers[key]
	if m.Customer.Sequence == 0 || m.Customer.Sequence >= held.Sequence {
		if m.Customer.Sequence == 0 {
			m.Customer.Sequence = held.Sequence
		}
		s.customers[key] = m.Customer
	}
	return true
}
