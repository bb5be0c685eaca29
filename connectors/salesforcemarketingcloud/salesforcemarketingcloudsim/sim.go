// Package salesforcemarketingcloudsim stands in for Salesforce Marketing Cloud
// Engagement: tokens, data extensions with their rows, contacts, and callbacks of
// the Event Notification Service. It refuses a rowset as the vendor does: what
// stands before the first bad row is kept, and the bad one is not named.
package salesforcemarketingcloudsim

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
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Credentials that Connection gives.
const (
	ClientID     = "sfmc-stand-in-client"
	ClientSecret = "sfmc-stand-in-secret"
	SignatureKey = "sfmc-stand-in-signature-key"
)

var _ standin.Simulated = (*Sim)(nil)

// Sim is one business unit. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux
	// Challenge, when set before the first request, is told the URL and body of
	// the question to a new callback, while the call that makes it is running; it
	// reports whether the answer was 200. nil answers for itself.
	Challenge func(url string, body []byte) bool

	mu            sync.Mutex
	token         string
	count         int // of ids and tokens given out
	writes        int
	extensions    []*extension
	contacts      map[string][]string // keys by address
	callbacks     []*callback
	subscriptions []map[string]any
	refused       map[string]string // words by e-mail address
	erased        []string
}

type extension struct {
	id, key, name string
	columns       map[string]int // length by lower-case name, 0 for no limit
	rows          map[string]map[string]any
}

type callback struct {
	id, name, url, signature, verification string
	verified                               bool
}

// New makes an empty business unit.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), contacts: map[string][]string{}, refused: map[string]string{}}
	for pattern, handle := range map[string]func(http.ResponseWriter, *http.Request, []byte){
		"POST /v2/token":                                 s.grant,
		"GET /platform/v1/tokenContext":                  s.context,
		"GET /data/v1/customobjects":                     s.search,
		"POST /data/v1/customobjects":                    s.create,
		"POST /hub/v1/dataevents/{extension}/rowset":     s.write,
		"GET /data/v1/customobjectdata/key/{key}/rowset": s.read,
		"POST /contacts/v1/addresses/email/search":       s.find,
		"POST /contacts/v1/contacts/actions/delete":      s.erase,
		"GET /platform/v1/ens-callbacks":                 s.listCallbacks,
		"POST /platform/v1/ens-callbacks":                s.createCallback,
		"DELETE /platform/v1/ens-callbacks/{id}":         s.deleteCallback,
		"POST /platform/v1/ens-verify":                   s.verify,
		"GET /platform/v1/ens-subscriptions-by-cb/{id}":  s.listSubscriptions,
		"POST /platform/v1/ens-subscriptions":            s.subscribe,
		"DELETE /platform/v1/ens-subscriptions/{id}":     s.unsubscribe,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, handle) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, 404, "Not Found") })
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Sim) serve(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request, []byte)) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		return // the caller broke the request off
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != "/v2/token" && (s.token == "" || r.Header.Get("Authorization") != "Bearer "+s.token) {
		refuse(w, http.StatusUnauthorized, 0, "Not Authorized")
		return
	}
	handle(w, r, body)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "subdomain": "mc-stand-in", "client_id": ClientID},
		map[string]string{"client_secret": ClientSecret, "signature_key": SignatureKey}
}

// Held implements standin.Simulated: the rows of all data extensions.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, x := range s.extensions {
		for _, key := range slices.Sorted(maps.Keys(x.rows)) {
			values := x.rows[key]
			h := standin.Held{Person: key}
			if email, ok := values["email"].(string); ok && email != "" {
				h.Person = email
			}
			h.Stage, _ = values["stage"].(string)
			list, _ := values["segments"].(string)
			h.Segments = strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
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

// AddContact makes a contact with an address, beside those who have it.
func (s *Sim) AddContact(key, email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	email = strings.ToLower(email)
	s.contacts[email] = append(s.contacts[email], key)
}

// AddExtension makes a data extension, as a person would.
func (s *Sim) AddExtension(name, key string, columns ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.extend(name, key)
	for _, c := range columns {
		x.columns[strings.ToLower(c)] = 0
	}
}

// DropExtensions deletes all of them.
func (s *Sim) DropExtensions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extensions = nil
}

// Row gives a row's columns by lower-case name; nil where there is none.
func (s *Sim) Row(key string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.extensions {
		if row := x.rows[key]; row != nil {
			return maps.Clone(row)
		}
	}
	return nil
}

// Refuse makes the row of an address bad.
func (s *Sim) Refuse(email, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[strings.ToLower(email)] = words
}

// Expire ends the token that is out.
func (s *Sim) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// Erased lists the keys of the contacts that were to be deleted.
func (s *Sim) Erased() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.erased)
}

// Sign gives the header of a delivery as the vendor makes it.
func Sign(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Sim) extend(name, key string) *extension {
	s.count++
	x := &extension{id: fmt.Sprintf("de-%d", s.count), key: key, name: name, columns: map[string]int{}, rows: map[string]map[string]any{}}
	if key == "" {
		x.key = "KEY-" + x.id
	}
	s.extensions = append(s.extensions, x)
	return x
}

func (s *Sim) grant(w http.ResponseWriter, _ *http.Request, body []byte) {
	var in struct {
		Grant  string `json:"grant_type"`
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if json.Unmarshal(body, &in) != nil || in.Grant != "client_credentials" || in.ID != ClientID || in.Secret != ClientSecret {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "Invalid client ID. Use the client ID in Marketing Cloud Installed Packages."})
		return
	}
	if s.token == "" {
		s.count++
		s.token = fmt.Sprintf("sfmc-token-%d", s.count)
	}
	answer(w, http.StatusOK, map[string]any{"access_token": s.token, "token_type": "Bearer", "expires_in": 1079, "scope": "", "rest_instance_url": "https://mc-stand-in.rest.marketingcloudapis.com/"})
}

func (s *Sim) context(w http.ResponseWriter, _ *http.Request, _ []byte) {
	answer(w, http.StatusOK, map[string]any{"enterprise": map[string]any{"id": 510000}, "organization": map[string]any{"id": 510001}, "user": map[string]any{"id": 7}})
}

// refuse is the vendor's error answer.
func refuse(w http.ResponseWriter, status, code int, message string, more ...string) {
	value := map[string]any{"message": message, "errorcode": code, "documentation": ""}
	var additional []map[string]any
	for _, m := range more {
		additional = append(additional, map[string]any{"message": m, "errorcode": code})
	}
	if additional != nil {
		value["additionalErrors"] = additional
	}
	answer(w, status, value)
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A caller that has gone needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}
