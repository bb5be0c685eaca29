// Package stripesim stands in for Stripe's API: customers with metadata, webhook
// endpoints and the account, in the form of https://docs.stripe.com/api. It
// refuses what Stripe refuses: a wrong key, unknown parameters, metadata beyond
// its limits, an idempotency key used for another request.
package stripesim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// APIKey is the key that the stand-in takes.
const APIKey = "sk_test_stand_in"

// SigningSecret is what Connection gives; the secrets of registered endpoints
// are numbered.
const SigningSecret = "whsec_stand_in"

// Metadata keys that Held reads: the connector's defaults.
const (
	stageKey    = "sb_stage"
	segmentsKey = "sb_segments"
)

var _ standin.Simulated = (*Sim)(nil)

// Sim is a Stripe account in test mode. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu        sync.Mutex
	customers []*customer // oldest first
	endpoints []*endpoint // oldest first
	replies   map[string]reply
	refused   map[string]string // words by customer id
	count     int               // of ids given out
	writes    int
}

type customer struct {
	id, email, name string
	metadata        map[string]string
	deleted         bool
}

type endpoint struct {
	id, url, secret string
	types           []string
	disabled        bool
}

// reply is what an idempotency key was answered with.
type reply struct {
	request string
	status  int
	body    []byte
}

// New makes an empty account.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), replies: map[string]reply{}, refused: map[string]string{}}
	for _, route := range []struct {
		pattern string
		handle  func(*http.Request, url.Values) (int, any)
	}{
		{"GET /v1/account", s.account},
		{"GET /v1/customers", s.listCustomers},
		{"POST /v1/customers", s.createCustomer},
		{"GET /v1/customers/{id}", s.readCustomer},
		{"POST /v1/customers/{id}", s.writeCustomer},
		{"DELETE /v1/customers/{id}", s.deleteCustomer},
		{"GET /v1/webhook_endpoints", s.listEndpoints},
		{"POST /v1/webhook_endpoints", s.createEndpoint},
		{"POST /v1/webhook_endpoints/{id}", s.writeEndpoint},
		{"DELETE /v1/webhook_endpoints/{id}", s.deleteEndpoint},
	} {
		s.mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route.handle) })
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+APIKey {
		answer(w, http.StatusUnauthorized, failed("invalid_request_error", "", "Invalid API Key provided", ""))
		return
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		answer(w, http.StatusNotFound, failed("invalid_request_error", "", "Unrecognized request URL", ""))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// serve reads the form, repeats the answer to a known idempotency key and
// counts writes.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, handle func(*http.Request, url.Values) (int, any)) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the caller broke the request off
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(body) > 0 && r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		answer(w, http.StatusBadRequest, failed("invalid_request_error", "", "Invalid request: the body is not a form", ""))
		return
	}
	if r.Method == http.MethodGet {
		form = r.URL.Query()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, asked := r.Header.Get("Idempotency-Key"), r.Method+" "+r.URL.Path+" "+string(body)
	if before, ok := s.replies[key]; ok && key != "" {
		if before.request != asked {
			answer(w, http.StatusBadRequest, failed("idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters they were first used with.", ""))
			return
		}
		w.Header().Set("Idempotent-Replayed", "true")
		write(w, before.status, before.body)
		return
	}
	status, value := handle(r, form)
	text, err := json.Marshal(value)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{}`)
	}
	if key != "" {
		s.replies[key] = reply{asked, status, text}
	}
	if r.Method != http.MethodGet && status == http.StatusOK {
		s.writes++
	}
	s.count++
	w.Header().Set("Request-Id", fmt.Sprintf("req_%d", s.count))
	write(w, status, text)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(address string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": address}, map[string]string{"api_key": APIKey, "signing_secret": SigningSecret}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, c := range s.customers {
		h := standin.Held{Person: c.email, Stage: c.metadata[stageKey]}
		if list := c.metadata[segmentsKey]; list != "" {
			h.Segments = strings.Split(list, ",")
		}
		if !c.deleted && (h.Stage != "" || h.Segments != nil) {
			all = append(all, h)
		}
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// AddCustomer makes a customer as a checkout would, and gives the id.
func (s *Sim) AddCustomer(email string, metadata map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(email, metadata).id
}

// Metadata gives a copy of a customer's metadata; nil for nobody.
func (s *Sim) Metadata(id string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(id)
	if c == nil {
		return nil
	}
	held := map[string]string{}
	for key, value := range c.metadata {
		held[key] = value
	}
	return held
}

// Delete removes a customer as a person in the dashboard would.
func (s *Sim) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(id); c != nil {
		c.deleted = true
	}
}

// Refuse makes every write to the customers of an address fail with words.
func (s *Sim) Refuse(email, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.customers {
		if c.email == email {
			s.refused[c.id] = words
		}
	}
}

func (s *Sim) add(email string, metadata map[string]string) *customer {
	s.count++
	c := &customer{id: fmt.Sprintf("cus_SB%04d", s.count), email: email, metadata: map[string]string{}}
	for key, value := range metadata {
		c.metadata[key] = value
	}
	s.customers = append(s.customers, c)
	return c
}

func (s *Sim) find(id string) *customer {
	if i := slices.IndexFunc(s.customers, func(c *customer) bool { return c.id == id }); i >= 0 {
		return s.customers[i]
	}
	return nil
}

func answer(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte(`{}`)
	}
	write(w, status, text)
}

func write(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that has gone needs no answer.
	_, _ = w.Write(text)
}

// failed is Stripe's error answer.
func failed(kind, code, message, param string) map[string]any {
	e := map[string]any{"type": kind, "message": message}
	if code != "" {
		e["code"] = code
	}
	if param != "" {
		e["param"] = param
	}
	return map[string]any{"error": e}
}

func missing(kind, id string) (int, any) {
	return http.StatusNotFound, failed("invalid_request_error", "resource_missing", "No such "+kind+": '"+id+"'", "id")
}

func invalid(code, message, param string) (int, any) {
	return http.StatusBadRequest, failed("invalid_request_error", code, message, param)
}
