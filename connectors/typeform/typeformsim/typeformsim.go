// Package typeformsim stands in for Typeform's API: the account, forms, their
// webhooks and responses, in the form of https://www.typeform.com/developers/.
// It makes signed deliveries of responses.
package typeformsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Credentials that Connection gives.
const (
	Token  = "tfp_stand_in"
	Secret = "typeform-stand-in-secret"
)

var _ standin.Simulated = (*Sim)(nil)

// Sim is a Typeform account. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu     sync.Mutex
	forms  map[string]*form
	writes int
}

type form struct {
	webhooks  map[string]map[string]any // by tag
	responses []Response
}

// Response is one response to a form, newest last.
type Response struct {
	Token  string
	Email  string // of an answer
	Hidden map[string]string
}

// New makes an account with the given forms, or with one, AbC123.
func New(forms ...string) *Sim {
	if len(forms) == 0 {
		forms = []string{"AbC123"}
	}
	s := &Sim{mux: http.NewServeMux(), forms: map[string]*form{}}
	for _, id := range forms {
		s.forms[id] = &form{webhooks: map[string]map[string]any{}}
	}
	s.mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"alias": "Acme", "email": "owner@example.com", "language": "en"})
	})
	s.mux.HandleFunc("GET /forms", s.list)
	s.mux.HandleFunc("GET /forms/{form}/webhooks", s.of(s.listWebhooks))
	s.mux.HandleFunc("PUT /forms/{form}/webhooks/{tag}", s.of(s.putWebhook))
	s.mux.HandleFunc("DELETE /forms/{form}/webhooks/{tag}", s.of(s.deleteWebhook))
	s.mux.HandleFunc("GET /forms/{form}/responses", s.of(s.find))
	s.mux.HandleFunc("DELETE /forms/{form}/responses", s.of(s.erase))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "NOT_FOUND") })
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		refuse(w, http.StatusForbidden, "AUTHENTICATION_FAILED")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := strings.Join(slices.Sorted(maps.Keys(s.forms)), ",")
	return map[string]string{"base_url": url, "form_ids": ids}, map[string]string{"access_token": Token, "webhook_secret": Secret}
}

// Held implements standin.Simulated; Typeform holds no stage of anybody.
func (s *Sim) Held() []standin.Held { return nil }

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Add puts responses to a form, which is made where it is not there.
func (s *Sim) Add(id string, responses ...Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms[id] == nil {
		s.forms[id] = &form{webhooks: map[string]map[string]any{}}
	}
	s.forms[id].responses = append(s.forms[id].responses, responses...)
}

// Responses lists the tokens of the responses that a form has.
func (s *Sim) Responses(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var tokens []string
	if f := s.forms[id]; f != nil {
		for _, r := range f.responses {
			tokens = append(tokens, r.Token)
		}
	}
	return tokens
}

// AddWebhook puts a webhook on a form, as a person would.
func (s *Sim) AddWebhook(id, tag, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms[id].webhooks[tag] = map[string]any{"tag": tag, "url": url, "enabled": true, "verify_ssl": true}
}

// Sign gives the header of a delivery as Typeform makes it.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// of hands a call the form that it is about, under the lock.
func (s *Sim) of(handle func(http.ResponseWriter, *http.Request, *form)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		f := s.forms[r.PathValue("form")]
		if f == nil {
			refuse(w, http.StatusNotFound, "FORM_NOT_FOUND")
			return
		}
		handle(w, r, f)
	}
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	if page < 1 || size < 1 || size > 200 {
		refuse(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	ids := slices.Sorted(maps.Keys(s.forms))
	items := []map[string]string{}
	for _, id := range ids[min(len(ids), (page-1)*size):min(len(ids), page*size)] {
		items = append(items, map[string]string{"id": id, "title": "Form " + id})
	}
	answer(w, http.StatusOK, map[string]any{"total_items": len(ids), "page_count": (len(ids) + size - 1) / size, "items": items})
}

func (s *Sim) listWebhooks(w http.ResponseWriter, r *http.Request, f *form) {
	items := []map[string]any{}
	for _, tag := range slices.Sorted(maps.Keys(f.webhooks)) {
		shown := maps.Clone(f.webhooks[tag])
		shown["form_id"] = r.PathValue("form")
		delete(shown, "secret")
		items = append(items, shown)
	}
	answer(w, http.StatusOK, map[string]any{"items": items})
}

func (s *Sim) putWebhook(w http.ResponseWriter, r *http.Request, f *form) {
	var in map[string]any
	if json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in) != nil || in["url"] == "" || in["url"] == nil {
		refuse(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	in["tag"] = r.PathValue("tag")
	f.webhooks[r.PathValue("tag")] = in
	s.writes++
	answer(w, http.StatusOK, in)
}

func (s *Sim) deleteWebhook(w http.ResponseWriter, r *http.Request, f *form) {
	tag := r.PathValue("tag")
	if f.webhooks[tag] == nil {
		refuse(w, http.StatusNotFound, "WEBHOOK_NOT_FOUND")
		return
	}
	delete(f.webhooks, tag)
	s.writes++
	w.WriteHeader(http.StatusNoContent)
}

// find searches for a part of a text in any spelling, newest first.
func (s *Sim) find(w http.ResponseWriter, r *http.Request, f *form) {
	query := r.URL.Query()
	size, err := strconv.Atoi(query.Get("page_size"))
	if err != nil || size < 1 || size > 1000 {
		refuse(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	items := []map[string]any{}
	reached := query.Get("before") == ""
	for _, one := range slices.Backward(f.responses) {
		text := one.Email + " " + fmt.Sprint(one.Hidden)
		if reached && len(items) < size && strings.Contains(strings.ToLower(text), strings.ToLower(query.Get("query"))) {
			item := map[string]any{"token": one.Token, "response_id": one.Token, "answers": nil}
			if one.Email != "" {
				item["answers"] = []map[string]any{{"type": "email", "email": one.Email, "field": map[string]string{"id": "f1", "type": "email", "ref": "mail"}}}
			}
			if one.Hidden != nil {
				item["hidden"] = one.Hidden
			}
			items = append(items, item)
		}
		reached = reached || one.Token == query.Get("before")
	}
	answer(w, http.StatusOK, map[string]any{"total_items": len(items), "page_count": 1, "items": items})
}

func (s *Sim) erase(w http.ResponseWriter, r *http.Request, f *form) {
	var in struct {
		IDs []string `json:"included_response_ids"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in) != nil || len(in.IDs) == 0 || len(in.IDs) > 1000 {
		refuse(w, http.StatusBadRequest, "VALIDATION_ERROR")
		return
	}
	f.responses = slices.DeleteFunc(f.responses, func(one Response) bool { return slices.Contains(in.IDs, one.Token) })
	s.writes++
	answer(w, http.StatusOK, map[string]any{})
}

func refuse(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]string{"code": code, "description": strings.ToLower(strings.ReplaceAll(code, "_", " "))})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that has gone needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}
