// Package calendlysim stands in for Calendly's API: the user, webhook
// subscriptions and the deletion of invitees, in the form of
// https://developer.calendly.com/. It makes signed deliveries.
package calendlysim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Credentials that Connection gives.
const (
	Token      = "calendly-stand-in-token"
	SigningKey = "calendly-stand-in-signing-key"
)

// The stand-in's user and organization. Calendly's URIs name its own host,
// wherever the request went.
const (
	User         = "https://api.calendly.com/users/U1"
	Organization = "https://api.calendly.com/organizations/ORG1"
)

// pageSize is how many subscriptions the stand-in lists at once, whatever is
// asked for, so that paging is used.
const pageSize = 2

var _ standin.Simulated = (*Sim)(nil)

// Options of a Sim; the zero value is an organization with every event.
type Options struct {
	// Basic leaves out the events that not every plan has.
	Basic bool
	// Enterprise lets invitees be deleted.
	Enterprise bool
}

// Sim is a Calendly organization. It is safe for concurrent use.
type Sim struct {
	mux     *http.ServeMux
	options Options

	mu      sync.Mutex
	hooks   []*hook
	count   int
	writes  int
	deleted []string
}

type hook struct {
	id, state string
	in        subscribe
}

type subscribe struct {
	URL          string   `json:"url"`
	Events       []string `json:"events"`
	Organization string   `json:"organization"`
	User         string   `json:"user"`
	Scope        string   `json:"scope"`
	SigningKey   string   `json:"signing_key"`
}

// New makes an organization without webhooks.
func New(options ...Options) *Sim {
	s := &Sim{mux: http.NewServeMux()}
	for _, o := range options {
		s.options = o
	}
	s.mux.HandleFunc("GET /users/me", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"resource": map[string]string{
			"uri": User, "name": "Host Example", "email": "host@example.com", "current_organization": Organization,
		}})
	})
	s.mux.HandleFunc("GET /webhook_subscriptions", s.list)
	s.mux.HandleFunc("POST /webhook_subscriptions", s.create)
	s.mux.HandleFunc("DELETE /webhook_subscriptions/{id}", s.remove)
	s.mux.HandleFunc("POST /data_compliance/deletion/invitees", s.erase)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "Resource Not Found", "The requested path does not exist.")
	})
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		refuse(w, http.StatusUnauthorized, "Unauthenticated", "The access token is invalid")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url}, map[string]string{"access_token": Token, "signing_key": SigningKey}
}

// Held implements standin.Simulated; Calendly holds no stage of anybody.
func (s *Sim) Held() []standin.Held { return nil }

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Deleted lists the addresses whose data was to be deleted.
func (s *Sim) Deleted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deleted)
}

// Disable switches all webhooks off, as Calendly does after a day of failures.
func (s *Sim) Disable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hooks {
		h.state = "disabled"
	}
}

// SigningKeys lists the keys of the webhooks of a URL.
func (s *Sim) SigningKeys(url string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, h := range s.hooks {
		if h.in.URL == url {
			keys = append(keys, h.in.SigningKey)
		}
	}
	return keys
}

// Sign gives the header of a delivery as Calendly makes it.
func Sign(key string, at int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%d.%s", at, body)
	return fmt.Sprintf("t=%d,v1=%s", at, hex.EncodeToString(mac.Sum(nil)))
}

func (h *hook) json() map[string]any {
	return map[string]any{
		"uri": "https://api.calendly.com/webhook_subscriptions/" + h.id, "callback_url": h.in.URL, "events": h.in.Events,
		"scope": h.in.Scope, "state": h.state, "organization": h.in.Organization, "user": h.in.User, "creator": User,
	}
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	scope := query.Get("scope")
	if query.Get("organization") != Organization || scope != "organization" && scope != "user" || scope == "user" && query.Get("user") != User {
		refuse(w, http.StatusBadRequest, "Invalid Argument", "The supplied parameters are invalid.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []map[string]any{}
	for _, h := range s.hooks {
		if h.in.Scope == scope {
			found = append(found, h.json())
		}
	}
	start, _ := strconv.Atoi(query.Get("page_token"))
	start = min(max(start, 0), len(found))
	end := min(start+pageSize, len(found))
	pagination := map[string]any{"count": end - start, "next_page_token": nil}
	if end < len(found) {
		pagination["next_page_token"] = strconv.Itoa(end)
	}
	answer(w, http.StatusOK, map[string]any{"collection": found[start:end], "pagination": pagination})
}

func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	var in subscribe
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in)
	known := []string{"invitee.created", "invitee.canceled"}
	if !s.options.Basic {
		known = append(known, "invitee_no_show.created", "invitee_no_show.deleted", "routing_form_submission.created")
	}
	unknown := slices.ContainsFunc(in.Events, func(e string) bool {
		return !slices.Contains(known, e) || e == "routing_form_submission.created" && in.Scope != "organization"
	})
	if err != nil || in.URL == "" || len(in.Events) == 0 || unknown || in.Organization != Organization || in.Scope == "user" && in.User != User {
		refuse(w, http.StatusBadRequest, "Invalid Argument", "The supplied parameters are invalid.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.hooks, func(h *hook) bool { return h.in.URL == in.URL && h.in.Scope == in.Scope }) {
		refuse(w, http.StatusConflict, "Already Exists", "Hook with this url already exists")
		return
	}
	s.count++
	s.writes++
	h := &hook{id: fmt.Sprintf("W%d", s.count), state: "active", in: in}
	s.hooks = append(s.hooks, h)
	answer(w, http.StatusCreated, map[string]any{"resource": h.json()})
}

func (s *Sim) remove(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.hooks, func(h *hook) bool { return h.id == r.PathValue("id") })
	if i < 0 {
		refuse(w, http.StatusNotFound, "Resource Not Found", "The server could not find the requested resource.")
		return
	}
	s.hooks = slices.Delete(s.hooks, i, i+1)
	s.writes++
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) erase(w http.ResponseWriter, r *http.Request) {
	if !s.options.Enterprise {
		refuse(w, http.StatusForbidden, "Permission Denied", "Please upgrade to an Enterprise account.")
		return
	}
	var in struct {
		Emails []string `json:"emails"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in) != nil || len(in.Emails) == 0 {
		refuse(w, http.StatusBadRequest, "Invalid Argument", "The supplied parameters are invalid.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleted = append(s.deleted, in.Emails...)
	s.writes++
	answer(w, http.StatusAccepted, map[string]any{})
}

func refuse(w http.ResponseWriter, status int, title, message string) {
	answer(w, status, map[string]string{"title": title, "message": message})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that has gone needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}
