// Package zendesksim is a simulated Zendesk: an HTTP handler that speaks the
// wire format of the Support API for one account held in memory. It keeps
// Zendesk's rules where a connector could break them: user fields that do not
// exist are passed over, fields of many users are written by a job that says
// nothing at first, a list of tags is the whole list, and wrong credentials
// meet an anonymous user.
package zendesksim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Credentials that the stand-in takes.
const (
	email = "admin@example.com"
	token = "simulated-zendesk-token"
)

// maxBody bounds what one request may bring.
const maxBody = 4 << 20

// Sim is one simulated account. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu       sync.Mutex
	users    []*user
	erased   map[int64]bool // deleted for good
	fields   []map[string]any
	jobs     map[string]*job
	hooks    []map[string]any
	refused  map[string]string // by e-mail
	hold     int
	spelling bool
	plain    bool
	next     int64
	writes   int
}

type user struct {
	id                      int64
	name, email, externalID string
	role                    string
	others                  []string // further addresses
	fields                  map[string]any
	tags                    []string
	deleted, pinned         bool
}

type job struct {
	polls   int
	results []map[string]any
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an account with an administrator and no user field.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), erased: map[int64]bool{}, jobs: map[string]*job{}, refused: map[string]string{}, next: 6590000}
	for pattern, h := range map[string]func(*call){
		"GET /users/me":                     s.me,
		"GET /users/show_many":              s.showMany,
		"GET /users/search":                 s.search,
		"GET /users/{id}/identities":        s.identities,
		"PUT /users/update_many":            s.updateMany,
		"POST /users/create_or_update":      s.createOrUpdate,
		"PUT /users/{id}/tags":              s.addTags,
		"DELETE /users/{id}/tags":           s.removeTags,
		"DELETE /users/{id}":                s.deleteUser,
		"DELETE /deleted_users/{id}":        s.eraseUser,
		"GET /incremental/users/cursor":     s.export,
		"GET /user_fields":                  s.listFields,
		"POST /user_fields":                 s.createField,
		"GET /job_statuses/{id}":            s.jobStatus,
		"GET /webhooks":                     s.listWebhooks,
		"POST /webhooks":                    s.createWebhook,
		"PATCH /webhooks/{id}":              s.changeWebhook,
		"DELETE /webhooks/{id}":             s.deleteWebhook,
		"GET /webhooks/{id}/signing_secret": s.signingSecret,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" /api/v2"+path, s.handler(h))
	}
	return s
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "email": email}, map[string]string{"api_token": token}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, u := range s.users {
		h := standin.Held{Person: u.email}
		h.Stage, _ = u.fields["sb_stage"].(string)
		for _, tag := range u.tags {
			if name, ours := strings.CutPrefix(tag, "sb_"); ours {
				h.Segments = append(h.Segments, name)
			}
		}
		if !u.deleted && (h.Stage != "" || h.Segments != nil) {
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

// AddUser puts an end user into the account and gives the id. Further
// addresses are the user's own, but not the main one.
func (s *Sim) AddUser(email string, tags []string, others ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.add(email, email)
	u.tags, u.others = slices.Clone(tags), others
	return strconv.FormatInt(u.id, 10)
}

// Tags gives a user's tags, Field one of the user fields.
func (s *Sim) Tags(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.find(id); u != nil {
		return slices.Clone(u.tags)
	}
	return nil
}

// Field gives the value of a user field; nil where there is none.
func (s *Sim) Field(id, key string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.find(id); u != nil {
		return u.fields[key]
	}
	return nil
}

// Refuse makes every write of a person's fields fail with the words.
func (s *Sim) Refuse(email, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[email] = words
}

// Hold makes each job run on for so many questions about it.
func (s *Sim) Hold(polls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = polls
}

// Pin gives a user an open ticket, so that deleting is refused.
func (s *Sim) Pin(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.find(id); u != nil {
		u.pinned = true
	}
}

// Narrow makes the account one whose plan knows no ticket events and which
// takes only the spelling of event types with a slash, where there is one.
func (s *Sim) Narrow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spelling, s.plain = true, true
}

// add makes an end user; the lock is held.
func (s *Sim) add(name, email string) *user {
	s.next++
	u := &user{id: s.next, name: name, email: email, role: "end-user", fields: map[string]any{}}
	s.users = append(s.users, u)
	return u
}

// find gives the user of an id; nil where there is none or only a deleted one.
func (s *Sim) find(id string) *user {
	for _, u := range s.users {
		if strconv.FormatInt(u.id, 10) == id && !u.deleted {
			return u
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// call is one request under way.
type call struct {
	r      *http.Request
	body   []byte
	status int
	answer any
	text   []byte
}

// write turns the answer into its text.
func (c *call) write() {
	if c.answer != nil && c.text == nil {
		c.text, _ = json.Marshal(c.answer)
	}
}

// handler reads the body, checks the credentials and writes the answer.
func (s *Sim) handler(h func(*call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return
		}
		c := &call{r: r, body: body, status: http.StatusOK}
		name, password, ok := r.BasicAuth()
		switch {
		case ok && name == email+"/token" && password == token:
			s.mu.Lock()
			h(c)
			if r.Method != http.MethodGet && c.status < 300 {
				s.writes++
			}
			// Written while the lock is held: the answer shares maps with the account.
			c.write()
			s.mu.Unlock()
		case strings.HasSuffix(r.URL.Path, "/users/me"):
			c.answer = map[string]any{"user": map[string]any{"id": nil, "name": "Anonymous user", "role": "end-user"}}
		default:
			c.fail(http.StatusUnauthorized, "Couldn't authenticate you", "")
		}
		c.write()
		w.Header().Set("X-Request-Id", "simulated-request")
		if c.answer == nil {
			w.WriteHeader(c.status)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(c.status)
		_, _ = w.Write(c.text)
	}
}

// decode reads the body; a wrong one is refused.
func (c *call) decode(into any) bool {
	if err := json.Unmarshal(c.body, into); err != nil {
		c.fail(http.StatusBadRequest, "InvalidJSON", "The body cannot be read")
		return false
	}
	return true
}

func (c *call) fail(status int, title, description string) {
	c.status, c.answer = status, map[string]any{"error": title, "description": description}
}

func (c *call) missing() { c.fail(http.StatusNotFound, "RecordNotFound", "Not found") }

func notFound(id any) map[string]any {
	n, _ := strconv.ParseInt(fmt.Sprint(id), 10, 64)
	return map[string]any{"id": n, "action": "update", "success": false, "error": "UserNotFound", "details": "The user does not exist"}
}
