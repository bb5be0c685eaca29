// Package helpscoutsim is a simulated Help Scout account: customers with
// properties, their definitions, webhooks and tokens, in the wire format of
// version 2 of the Mailbox API. It refuses what Help Scout refuses.
package helpscoutsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// App and Secret are the only ones that the account knows.
const (
	App    = "7sd3f0e1a2b34c5d9e8f"
	Secret = "helpscout-secret-of-the-example"
)

// pageSize is small, so that paging is walked.
const pageSize = 3

// Sim is a simulated account. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu          sync.Mutex
	token       string
	fetched     int
	customers   map[int64]*customer
	definitions []definition
	hooks       map[int64]map[string]any
	lean        bool
	last        int64
	writes      int
}

type customer struct {
	id     int64
	emails []string
	values map[string]any
}

type definition struct {
	Type    string           `json:"type"`
	Slug    string           `json:"slug"`
	Name    string           `json:"name"`
	Options []map[string]any `json:"options,omitempty"`
}

// New makes an empty account.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), customers: map[int64]*customer{}, hooks: map[int64]map[string]any{}, last: 550000}
	s.mux.HandleFunc("POST /v2/oauth2/token", s.giveToken)
	s.handle("GET /v2/users/me", func(http.ResponseWriter, *http.Request) answer {
		return answer{200, map[string]any{"id": 17, "firstName": "Ines", "lastName": "Example", "companyId": 42}}
	})
	s.handle("GET /v2/customers", s.list)
	s.handle("POST /v2/customers", s.create)
	s.handle("GET /v2/customers/{id}", s.withCustomer(func(c *customer, _ *http.Request) answer { return answer{200, s.shown(c, false)} }))
	s.handle("DELETE /v2/customers/{id}", s.withCustomer(func(c *customer, _ *http.Request) answer {
		delete(s.customers, c.id)
		return answer{204, nil}
	}))
	s.handle("PATCH /v2/customers/{id}/properties", s.withCustomer(s.change))
	s.handle("GET /v2/customer-properties", func(http.ResponseWriter, *http.Request) answer {
		return answer{200, map[string]any{"_embedded": map[string]any{"customer-properties": append([]definition{}, s.definitions...)}}}
	})
	s.handle("POST /v2/customer-properties", s.define)
	s.handle("GET /v2/webhooks", s.listHooks)
	s.handle("POST /v2/webhooks", s.createHook)
	s.handle("PUT /v2/webhooks/{id}", s.changeHook)
	s.handle("DELETE /v2/webhooks/{id}", s.deleteHook)
	return s
}

// answer is a status and a body; nil is none.
type answer struct {
	status int
	body   any
}

// refuse words a refusal as Help Scout does.
func refuse(status int, path, words string) answer {
	return answer{status, map[string]any{"message": "Bad request", "_embedded": map[string]any{
		"errors": []map[string]any{{"path": path, "message": words}},
	}}}
}

func (s *Sim) giveToken(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("client_id") != App || r.PostForm.Get("client_secret") != Secret {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": "invalid_client"})
		return
	}
	s.fetched++
	s.token = fmt.Sprintf("helpscout-token-%06d", s.fetched)
	_ = json.NewEncoder(w).Encode(map[string]any{"token_type": "bearer", "access_token": s.token, "expires_in": 172800})
}

// handle serves a route under the lock, to whoever has the present token.
func (s *Sim) handle(pattern string, serve func(http.ResponseWriter, *http.Request) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := answer{http.StatusUnauthorized, map[string]any{"error": "invalid_token"}}
		if s.token != "" && r.Header.Get("Authorization") == "Bearer "+s.token {
			a = serve(w, r)
		}
		if r.Method != http.MethodGet && a.status < 300 {
			s.writes++
		}
		w.Header().Set("X-Ratelimit-Limit-Minute", "400")
		if a.body != nil {
			w.Header().Set("Content-Type", "application/hal+json")
		}
		w.WriteHeader(a.status)
		if a.body != nil {
			_ = json.NewEncoder(w).Encode(a.body)
		}
	})
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "app_id": App}, map[string]string{"app_secret": Secret, "webhook_secret": "webhook-secret-of-the-example"}
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, id := range slices.Sorted(maps.Keys(s.customers)) {
		c := s.customers[id]
		h := standin.Held{Person: c.emails[0]}
		h.Stage, _ = c.values["sb_stage"].(string)
		if list, _ := c.values["sb_segments"].(string); list != "" {
			h.Segments = strings.Split(list, ",")
		}
		if h.Stage != "" || len(h.Segments) > 0 {
			all = append(all, h)
		}
	}
	return all
}

// Revoke makes the present token one that is refused.
func (s *Sim) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// Lean makes lists of customers leave their properties out.
func (s *Sim) Lean(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lean = on
}

// AddCustomer puts a customer there and gives the number.
func (s *Sim) AddCustomer(emails ...string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(emails).id
}

// Set writes a customer's property, as somebody at Help Scout does.
func (s *Sim) Set(id int64, slug string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.customers[id].values[slug] = v
}

// Remove takes a customer away.
func (s *Sim) Remove(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.customers, id)
}

// Define puts a property there; the options are labels, whose ids are "id of "
// and the label.
func (s *Sim) Define(slug, kind string, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := definition{Type: kind, Slug: slug, Name: slug}
	for _, label := range labels {
		d.Options = append(d.Options, map[string]any{"id": "id of " + label, "label": label})
	}
	s.definitions = append(s.definitions, d)
}

// SwitchOff disables every webhook, as Help Scout does after failures.
func (s *Sim) SwitchOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hooks {
		h["state"] = "disabled"
	}
}

func (s *Sim) add(emails []string) *customer {
	s.last++
	c := &customer{id: s.last, emails: emails, values: map[string]any{}}
	s.customers[c.id] = c
	return c
}

func number(r *http.Request) int64 {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	return id
}
