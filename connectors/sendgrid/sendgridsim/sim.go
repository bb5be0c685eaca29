// Package sendgridsim is a simulated SendGrid account: contacts, custom fields
// and jobs of Marketing Campaigns, and the settings of the event webhook, whose
// deliveries it signs. It checks the key and refuses what SendGrid refuses.
package sendgridsim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Key is the API key that the simulated account takes.
const Key = "SG.simulated-key"

// field is one custom field.
type field struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"field_type"`
}

// contact holds identifiers and own fields by name, custom fields by id.
type contact struct {
	id     string
	own    map[string]any
	custom map[string]any
}

// job is one job; it ends when it has been asked after once.
type job struct {
	kind                                 string
	asked                                bool
	requested, created, changed, errored int
}

// Sim is a simulated account, empty at first. It is safe for concurrent use.
type Sim struct {
	mux  *http.ServeMux
	sign *ecdsa.PrivateKey

	mu       sync.Mutex
	fields   []field
	contacts []*contact
	jobs     map[string]*job
	hooks    []map[string]any
	made     int
	writes   int
	erased   []string
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty account.
func New() *Sim {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system's random source never fails
	}
	s := &Sim{mux: http.NewServeMux(), sign: key, jobs: map[string]*job{}}
	s.mux.HandleFunc("GET /v3/scopes", s.open(func(*http.Request) (int, any) {
		return http.StatusOK, map[string]any{"scopes": []string{"marketing.read", "marketing.update", "user.webhooks.event.settings.update"}}
	}))
	s.mux.HandleFunc("GET /v3/marketing/contacts/count", s.open(func(*http.Request) (int, any) {
		return http.StatusOK, map[string]any{"contact_count": len(s.contacts), "billable_count": len(s.contacts)}
	}))
	s.mux.HandleFunc("GET /v3/marketing/field_definitions", s.open(s.listFields))
	s.mux.HandleFunc("POST /v3/marketing/field_definitions", s.open(s.makeField))
	s.mux.HandleFunc("PUT /v3/marketing/contacts", s.open(s.upsert))
	s.mux.HandleFunc("DELETE /v3/marketing/contacts", s.open(s.remove))
	s.mux.HandleFunc("POST /v3/marketing/contacts/batch", s.open(s.byID))
	s.mux.HandleFunc("POST /v3/marketing/contacts/search/emails", s.open(s.byEmail))
	s.mux.HandleFunc("GET /v3/marketing/contacts/imports/{id}", s.open(s.job))
	s.mux.HandleFunc("POST /v3/recipients/erasejob", s.open(s.erase))
	s.mux.HandleFunc("GET /v3/user/webhooks/event/settings/all", s.open(s.listHooks))
	s.mux.HandleFunc("POST /v3/user/webhooks/event/settings", s.open(s.makeHook))
	s.mux.HandleFunc("PATCH /v3/user/webhooks/event/settings/{id}", s.open(s.changeHook))
	s.mux.HandleFunc("DELETE /v3/user/webhooks/event/settings/{id}", s.open(s.removeHook))
	s.mux.HandleFunc("PATCH /v3/user/webhooks/event/settings/signed/{id}", s.open(s.signHook))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "SendGrid")
	s.mux.ServeHTTP(w, r)
}

// open lets requests with the API key through, one at a time.
func (s *Sim) open(h func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, v := http.StatusUnauthorized, refused("", "authorization required")
		if r.Header.Get("Authorization") == "Bearer "+Key {
			s.mu.Lock()
			status, v = h(r)
			s.mu.Unlock()
		}
		if v == nil {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
}

// refused is an error answer.
func refused(field, words string) any {
	e := map[string]any{"message": words}
	if field != "" {
		e["field"] = field
	}
	return map[string]any{"errors": []any{e}}
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url}, map[string]string{"api_key": Key, "verification_key": s.PublicKey()}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, c := range s.contacts {
		h := standin.Held{Person: fmt.Sprint(c.own["email"])}
		h.Stage, _ = c.custom[s.idOf("sb_stage")].(string)
		segments, _ := c.custom[s.idOf("sb_segments")].(string)
		h.Segments = slices.DeleteFunc(strings.Split(segments, ","), func(s string) bool { return s == "" })
		all = append(all, h)
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Erased lists the addresses whose message data was to be erased, in order.
func (s *Sim) Erased() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.erased)
}

// PublicKey is the verification key of the webhook, as SendGrid shows it.
func (s *Sim) PublicKey() string {
	der, err := x509.MarshalPKIXPublicKey(&s.sign.PublicKey)
	if err != nil {
		panic(err) // a key on P-256 always has this form
	}
	return base64.StdEncoding.EncodeToString(der)
}

// Sign gives the signature header of a delivery.
func (s *Sim) Sign(stamp string, body []byte) (string, error) {
	sum := sha256.Sum256(append([]byte(stamp), body...))
	der, err := ecdsa.SignASN1(rand.Reader, s.sign, sum[:])
	if err != nil {
		return "", fmt.Errorf("sendgridsim: sign a delivery: %w", err)
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// newID makes an id in the form of SendGrid's; the lock is held.
func (s *Sim) newID() string {
	s.made++
	return fmt.Sprintf("5e2d0000-0000-4000-8000-%012x", s.made)
}
