// Package marketosim is a Marketo instance in memory: its identity service and
// the part of its REST API that a connection uses, with the error codes that
// Marketo hides in answers of status 200. It is for tests and demonstrations.
package marketosim

import (
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

// Credentials of the service that may call.
const (
	ClientID     = "client-of-the-example"
	ClientSecret = "secret-of-the-example-client"
	WebhookToken = "webhook-token-of-the-example"
)

// maxRecords of one call.
const maxRecords = 300

// Sim is the instance. It is safe for concurrent use.
type Sim struct {
	mux    *http.ServeMux
	routes []string

	mu     sync.Mutex
	token  int // number of the current access token
	calls  int
	writes int
	nextID int64
	people map[int64]map[string]any
	fields map[string]string // data type by REST name
	lists  []*staticList
	log    []entry
}

type staticList struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Created string `json:"createdAt"`
	Updated string `json:"updatedAt"`
	members map[int64]bool
}

// New makes an instance with the standard fields and nobody in it.
func New() *Sim {
	s := &Sim{nextID: 318591, people: map[int64]map[string]any{}, fields: map[string]string{}}
	for _, name := range []string{"firstName", "lastName", "company", "title", "phone", "country", "leadSource"} {
		s.fields[name] = "string"
	}
	maps.Copy(s.fields, map[string]string{"id": "integer", "email": "email", "leadScore": "score", "unsubscribed": "boolean", "createdAt": "datetime", "updatedAt": "datetime"})
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET /identity/oauth/token", s.identity)
	for route, handle := range map[string]func(*http.Request) answer{
		"GET /rest/v1/leads/describe2.json":          s.describe,
		"POST /rest/v1/leads/schema/fields.json":     s.createFields,
		"GET /rest/v1/leads.json":                    s.findPeople,
		"POST /rest/v1/leads.json":                   s.writePeople,
		"POST /rest/v1/leads/delete.json":            s.deletePeople,
		"GET /rest/v1/lists.json":                    s.findLists,
		"POST /rest/asset/v1/staticLists.json":       s.createList,
		"POST /rest/v1/lists/{list}/leads.json":      s.changeList,
		"DELETE /rest/v1/lists/{list}/leads.json":    s.changeList,
		"GET /rest/v1/lists/{list}/leads/{ismember}": s.changeList,
		"GET /rest/v1/activities/types.json":         s.types,
		"GET /rest/v1/activities/pagingtoken.json":   s.pagingToken,
		"GET /rest/v1/activities.json":               s.activities,
		"GET /rest/v1/activities/leadchanges.json":   s.activities,
		"GET /rest/v1/activities/deletedleads.json":  s.activities,
		"GET /rest/v1/stats/usage.json":              s.usage,
	} {
		s.mux.HandleFunc(route, s.rest(handle))
		s.routes = append(s.routes, route)
	}
	s.routes = append(s.routes, "GET /identity/oauth/token")
	slices.Sort(s.routes)
	return s
}

// Routes lists the patterns that the instance answers, sorted.
func (s *Sim) Routes() []string { return s.routes }

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "client_id": ClientID},
		map[string]string{"client_secret": ClientSecret, "webhook_token": WebhookToken}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for id, person := range s.people {
		h := standin.Held{Person: text(person["email"]), Stage: text(person["sb_stage"])}
		for name := range strings.SplitSeq(text(person["sb_segments"]), ";") {
			if name != "" {
				h.Segments = append(h.Segments, name)
			}
		}
		for _, l := range s.lists {
			if name, ours := strings.CutPrefix(l.Name, "sb:"); ours && l.members[id] {
				h.Segments = append(h.Segments, name)
			}
		}
		if slices.Sort(h.Segments); h.Stage != "" || len(h.Segments) > 0 {
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

// ExpireToken makes the access tokens given out so far worthless.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token++
}

// AddPerson puts a person in and gives their number.
func (s *Sim) AddPerson(email string, fields map[string]any) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(email, fields)
}

func (s *Sim) add(email string, fields map[string]any) int64 {
	s.nextID++
	person := map[string]any{"id": s.nextID, "email": email, "createdAt": started, "updatedAt": started}
	maps.Copy(person, fields)
	s.people[s.nextID] = person
	return s.nextID
}

// AddField gives people a field.
func (s *Sim) AddField(name, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fields[name] = kind
}

// AddList makes a static list.
func (s *Sim) AddList(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newList(name)
}

func (s *Sim) newList(name string) *staticList {
	l := &staticList{ID: int64(1000 + len(s.lists)), Name: name, Created: started, Updated: started, members: map[int64]bool{}}
	s.lists = append(s.lists, l)
	return l
}

// Person gives a copy of what is held of a number; nil when there is nobody.
func (s *Sim) Person(id int64) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.people[id])
}

func text(value any) string {
	t, _ := value.(string)
	return t
}

// identity gives out the current token to whoever knows the credentials.
func (s *Sim) identity(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	q := r.URL.Query()
	if q.Get("grant_type") != "client_credentials" || q.Get("client_id") != ClientID || q.Get("client_secret") != ClientSecret {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"unauthorized","error_description":"No client with requested id"}`)
		return
	}
	fmt.Fprintf(w, `{"access_token":"%s","token_type":"bearer","expires_in":3599,"scope":"api@example.com"}`, s.bearer())
}

func (s *Sim) bearer() string { return "token-" + strconv.Itoa(s.token) + ":ab" }

// answer is what a handler gives to be put into an envelope.
type answer struct {
	code, message string // of the error; empty: success
	result        any    // nil: no member result
	more          bool
	next          string
	wrote         bool
}

func refuse(code, message string) answer { return answer{code: code, message: message} }

// rest checks the token and wraps an answer as Marketo does, with status 200
// whatever happened. The empty lists are those of Marketo's own description.
func (s *Sim) rest(handle func(*http.Request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls++
		var a answer
		switch bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
		case bearer == s.bearer():
			a = handle(r)
		case strings.HasPrefix(bearer, "token-"):
			a = refuse("602", "Access token expired")
		default:
			a = refuse("601", "Access token invalid")
		}
		out := map[string]any{"requestId": fmt.Sprintf("%x#1", s.calls), "success": a.code == "", "errors": []any{}, "warnings": []any{}, "result": []any{}}
		if a.code != "" {
			out["errors"] = []any{map[string]string{"code": a.code, "message": a.message}}
		}
		if a.result != nil {
			out["result"] = a.result
		}
		if a.next != "" {
			out["nextPageToken"], out["moreResult"] = a.next, a.more
		}
		if a.wrote && a.code == "" {
			s.writes++
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	}
}
