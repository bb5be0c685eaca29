// Package eloquasim is an Eloqua instance in memory: the sign-in address and
// the part of the Bulk and REST APIs that a connection uses. Imports are worked
// off when their sync is started, with Eloqua's codes for records that it
// refuses. It is for tests and demonstrations.
package eloquasim

import (
	"encoding/base64"
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

// Credentials that the instance takes.
const (
	Company      = "ExampleCompany"
	User         = "Stagebridge.Api"
	Password     = "password-of-the-example-user"
	ClientID     = "client-of-the-example-app"
	ClientSecret = "secret-of-the-example-app"
)

// Sim is the instance. It is safe for concurrent use.
type Sim struct {
	mux    *http.ServeMux
	routes []string

	mu       sync.Mutex
	token    int // number of the current access token
	slow     int // how often a sync is still active when asked for
	writes   int
	nextID   int
	contacts map[string]*contact
	fields   []field
	lists    []*list
	imports  map[string]*definition
	syncs    map[string]*work
	released []string
	log      []map[string]string // activities
}

type contact struct {
	id, email string
	values    map[string]string // by statement
}

type field struct {
	ID, Name, Internal string
}

func (f field) statement() string { return "{{Contact.Field(" + f.Internal + ")}}" }

type list struct {
	id, name string
	members  map[string]bool
}

// New makes an instance with the standard fields and nobody in it.
func New() *Sim {
	s := &Sim{nextID: 10441, contacts: map[string]*contact{}, imports: map[string]*definition{}, syncs: map[string]*work{}}
	for _, f := range []string{"Email Address/C_EmailAddress", "First Name/C_FirstName", "Last Name/C_LastName", "Company/C_Company", "Title/C_Title"} {
		name, internal, _ := strings.Cut(f, "/")
		s.fields = append(s.fields, field{strconv.Itoa(100001 + len(s.fields)), name, internal})
	}
	s.mux = http.NewServeMux()
	for route, handle := range map[string]http.HandlerFunc{
		"GET /id":                                        s.identity,
		"POST /auth/oauth2/token":                        s.giveToken,
		"GET /api/REST/2.0/system/user/current":          s.currentUser,
		"GET /api/REST/1.0/data/contacts":                s.findContacts,
		"POST /api/REST/1.0/data/contact":                s.createContact,
		"GET /api/REST/1.0/data/contact/{id}":            s.readContact,
		"DELETE /api/REST/1.0/data/contact/{id}":         s.deleteContact,
		"GET /api/REST/2.0/data/contact/{id}/membership": s.membership,
		"POST /api/REST/1.0/assets/contact/field":        s.createField,
		"POST /api/REST/1.0/assets/contact/list":         s.createList,
		"GET /api/bulk/2.0/contacts/fields":              s.listFields,
		"GET /api/bulk/2.0/contacts/lists":               s.findLists,
		"POST /api/bulk/2.0/contacts/imports":            s.define,
		"POST /api/bulk/2.0/activities/exports":          s.define,
		"POST /api/bulk/2.0/contacts/imports/{id}/data":  s.stage,
		"POST /api/bulk/2.0/syncs":                       s.startSync,
		"GET /api/bulk/2.0/syncs/{id}":                   s.readSync,
		"GET /api/bulk/2.0/syncs/{id}/{part}":            s.readPart,
	} {
		s.mux.HandleFunc(route, s.known(handle))
		s.routes = append(s.routes, route)
	}
	slices.Sort(s.routes)
	return s
}

// Routes lists the patterns that the instance answers, sorted.
func (s *Sim) Routes() []string { return s.routes }

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "company": Company, "username": User, "client_id": ClientID},
		map[string]string{"password": Password, "client_secret": ClientSecret}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for id, c := range s.contacts {
		h := standin.Held{Person: c.email}
		for _, f := range s.fields {
			if f.Name == "sb_stage" {
				h.Stage = c.values[f.statement()]
			}
		}
		for _, l := range s.lists {
			if name, ours := strings.CutPrefix(l.name, "sb:"); ours && l.members[id] {
				h.Segments = append(h.Segments, name)
			}
		}
		if slices.Sort(h.Segments); h.Stage != "" || len(h.Segments) > 0 {
			all = append(all, h)
		}
	}
	return all
}

// Writes implements standin.Simulated: imports, and what was made or deleted.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Released lists the contacts let go from a step, "instance/execution/contact".
func (s *Sim) Released() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.released)
}

// Slow makes every sync still active the first times it is asked for.
func (s *Sim) Slow(times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = times
}

// ExpireToken makes the access tokens given out so far worthless.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token++
}

// AddContact puts a contact in and gives its number. Values are by internal
// name.
func (s *Sim) AddContact(email string, values map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.add(email)
	for internal, value := range values {
		c.values["{{Contact.Field("+internal+")}}"] = value
	}
	return c.id
}

// Forget takes a contact out, as if it had been merged into another.
func (s *Sim) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.contacts, id)
}

func (s *Sim) add(email string) *contact {
	s.nextID++
	c := &contact{id: strconv.Itoa(s.nextID), email: email, values: map[string]string{"{{Contact.Field(C_EmailAddress)}}": email}}
	s.contacts[c.id] = c
	return c
}

// AddField gives contacts a text field.
func (s *Sim) AddField(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newField(name)
}

func (s *Sim) newField(name string) field {
	f := field{strconv.Itoa(100001 + len(s.fields)), name, "C_" + strings.ReplaceAll(name, " ", "_") + "1"}
	s.fields = append(s.fields, f)
	return f
}

// AddList makes a shared list.
func (s *Sim) AddList(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newList(name)
}

func (s *Sim) newList(name string) *list {
	l := &list{id: strconv.Itoa(501 + len(s.lists)), name: name, members: map[string]bool{}}
	s.lists = append(s.lists, l)
	return l
}

// Log writes an activity of a contact down.
func (s *Sim) Log(kind, contact, asset, date string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, map[string]string{
		"{{Activity.Id}}": strconv.Itoa(len(s.log) + 1), "{{Activity.Type}}": kind, "{{Activity.CreatedAt}}": date,
		"{{Activity.Contact.Id}}": contact, "{{Activity.Asset.Name}}": asset, "{{Activity.Asset.Id}}": "7",
	})
}

// known checks the credentials of every call, and holds the instance while it
// is answered.
func (s *Sim) known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		app := "Basic " + base64.StdEncoding.EncodeToString([]byte(ClientID+":"+ClientSecret))
		user := "Basic " + base64.StdEncoding.EncodeToString([]byte(Company+`\`+User+":"+Password))
		given := r.Header.Get("Authorization")
		switch signIn := r.URL.Path == "/id"; {
		case r.URL.Path == "/auth/oauth2/token" && given == app, given == user, given == "Bearer "+s.bearer():
			next(w, r)
		case signIn:
			reply(w, http.StatusOK, "Not authenticated.")
		default:
			reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		}
	}
}

func (s *Sim) bearer() string { return "token-" + strconv.Itoa(s.token) }

func (s *Sim) giveToken(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	if json.NewDecoder(r.Body).Decode(&body) != nil || body["grant_type"] != "password" || body["username"] != Company+`\`+User || body["password"] != Password {
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	reply(w, http.StatusOK, map[string]any{"access_token": s.bearer(), "token_type": "bearer", "expires_in": 28800, "refresh_token": "changes-with-each-use"})
}

func (s *Sim) identity(w http.ResponseWriter, r *http.Request) {
	base := "http://" + r.Host
	reply(w, http.StatusOK, map[string]any{
		"site": map[string]any{"id": 1, "name": Company}, "user": map[string]any{"id": 2, "username": User},
		"urls": map[string]any{"base": base, "apis": map[string]any{"rest": map[string]string{"bulk": base + "/API/Bulk/{version}/"}}},
	})
}

func (s *Sim) currentUser(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"type": "User", "id": "2", "loginName": User, "name": "Stage Bridge"})
}

// reply writes a status and a value as JSON.
func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// refuse is the Bulk API's answer to a body that it does not take.
func refuse(w http.ResponseWriter, name, constraint string) {
	reply(w, http.StatusBadRequest, map[string]any{"failures": []any{map[string]string{"field": name, "constraint": constraint}}})
}

func notFound(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "The requested resource was not found.")
}

func uri(kind string, number int) string { return fmt.Sprintf("/%s/%d", kind, number) }
