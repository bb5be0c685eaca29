// Package pardotsim is a simulated business unit of Account Engagement: tokens,
// prospects, custom fields, static lists with their members, and visitor
// activities, with the refusals of the real API.
package pardotsim

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

const (
	clientID     = "consumer-key-of-the-stand-in"
	clientSecret = "consumer-secret-of-the-stand-in"
	unit         = "0Uv5g000000AbCdEFG"
	root         = "/api/v5/objects"
)

var _ standin.Simulated = (*Sim)(nil)

// Sim is one business unit. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu          sync.Mutex
	now         time.Time // moves on by a second with every change
	prospects   []map[string]any
	activities  []map[string]any
	fields      []map[string]any
	lists       []map[string]any
	memberships []map[string]any
	pages       map[string][]map[string]any
	refused     map[string]Refusal
	tokens      map[string]bool
	issued      int
	made        int64
	writes      int
	atOnce      int
	most        int
	used        int // requests of the day
}

// Refusal is how a write to a prospect ends.
type Refusal struct {
	Status, Code int
	Message      string
}

// New makes a business unit without custom fields, lists or prospects.
func New() *Sim {
	s := &Sim{
		mux: http.NewServeMux(), now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		pages: map[string][]map[string]any{}, refused: map[string]Refusal{}, tokens: map[string]bool{},
	}
	s.mux.HandleFunc("POST /services/oauth2/token", s.token)
	s.mux.HandleFunc("GET "+root+"/account", s.with(s.account))
	s.mux.HandleFunc("GET "+root+"/custom-fields", s.with(s.list(&s.fields)))
	s.mux.HandleFunc("POST "+root+"/custom-fields", s.with(s.createField))
	s.mux.HandleFunc("GET "+root+"/prospects", s.with(s.list(&s.prospects)))
	s.mux.HandleFunc("GET "+root+"/prospects/{id}", s.with(s.readProspect))
	s.mux.HandleFunc("PATCH "+root+"/prospects/{id}", s.with(s.updateProspect))
	s.mux.HandleFunc("DELETE "+root+"/prospects/{id}", s.with(s.deleteProspect))
	s.mux.HandleFunc("POST "+root+"/prospects/do/upsertLatestByEmail", s.with(s.upsert))
	s.mux.HandleFunc("GET "+root+"/lists", s.with(s.list(&s.lists)))
	s.mux.HandleFunc("POST "+root+"/lists", s.with(s.createList))
	s.mux.HandleFunc("GET "+root+"/list-memberships", s.with(s.list(&s.memberships)))
	s.mux.HandleFunc("POST "+root+"/list-memberships", s.with(s.createMembership))
	s.mux.HandleFunc("DELETE "+root+"/list-memberships/{id}", s.with(s.deleteMembership))
	s.mux.HandleFunc("GET "+root+"/visitor-activities", s.with(s.list(&s.activities)))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.atOnce++
	s.most = max(s.most, s.atOnce)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.atOnce--
		s.mu.Unlock()
	}()
	w.Header().Set(standin.Header, "pardot")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "login_url": url, "client_id": clientID, "business_unit_id": unit},
		map[string]string{"client_secret": clientSecret, "webhook_secret": "webhook-secret-of-the-stand-in"}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, p := range s.prospects {
		stage, _ := p["SB_Stage__c"].(string)
		segments, _ := p["SB_Segments__c"].(string)
		h := standin.Held{Person: fmt.Sprint(p["email"]), Stage: stage}
		if segments != "" {
			h.Segments = strings.Split(segments, ";")
		}
		for _, m := range s.memberships {
			if m["prospectId"] == p["id"] {
				if l := find(s.lists, m["listId"]); l != nil {
					h.Segments = append(h.Segments, strings.TrimPrefix(fmt.Sprint(l["name"]), "sb:"))
				}
			}
		}
		if p["isDeleted"] != true && (h.Stage != "" || len(h.Segments) > 0) {
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

// Most is how many requests were under way at once, at most.
func (s *Sim) Most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Use sets how many of the day's 25,000 requests are used.
func (s *Sim) Use(used int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = used
}

// AddProspect puts somebody in and gives the id.
func (s *Sim) AddProspect(email string, fields map[string]any) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := maps.Clone(fields)
	if p == nil {
		p = map[string]any{}
	}
	p["email"] = email
	return s.add(p)
}

func (s *Sim) add(p map[string]any) int64 {
	s.made++
	p["id"], p["createdAt"], p["isDeleted"] = 565000+s.made, s.tick(), false
	p["updatedAt"] = p["createdAt"]
	s.prospects = append(s.prospects, p)
	return 565000 + s.made
}

// AddField makes a custom field by hand.
func (s *Sim) AddField(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.fields = append(s.fields, map[string]any{"id": s.made, "name": id, "fieldId": id})
}

// AddList makes a list by hand and gives its id.
func (s *Sim) AddList(name string, dynamic bool) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.lists = append(s.lists, map[string]any{"id": s.made, "name": name, "isDynamic": dynamic})
	return s.made
}

// AddMember puts a prospect into a list.
func (s *Sim) AddMember(list, prospect int64, optedOut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.memberships = append(s.memberships, map[string]any{"id": s.made, "listId": list, "prospectId": prospect, "optedOut": optedOut})
}

// AddActivity notes something that a prospect did.
func (s *Sim) AddActivity(kind int, name, details string, prospect int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	a := map[string]any{"id": 1203000000 + s.made, "type": kind, "typeName": name, "details": details, "createdAt": s.tick(), "prospectId": prospect, "campaignId": 668}
	if p := find(s.prospects, prospect); p != nil {
		a["prospect"] = map[string]any{"email": p["email"], "salesforceId": p["salesforceId"]}
	}
	s.activities = append(s.activities, a)
}

// Get gives a prospect's fields; nil for none, or one in the recycle bin.
func (s *Sim) Get(id int64) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := find(s.prospects, id)
	if p == nil || p["isDeleted"] == true {
		return nil
	}
	return maps.Clone(p)
}

// Lists gives the names of the lists a prospect is in, sorted.
func (s *Sim) Lists(id int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, m := range s.memberships {
		if m["prospectId"] == id {
			names = append(names, fmt.Sprint(find(s.lists, m["listId"])["name"]))
		}
	}
	slices.Sort(names)
	return names
}

// Remove moves a prospect to the recycle bin by hand.
func (s *Sim) Remove(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := find(s.prospects, id)
	p["isDeleted"], p["updatedAt"] = true, s.tick()
}

// Refuse makes every write to the prospect with an address fail.
func (s *Sim) Refuse(email string, r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[email] = r
}

// Expire ends every session; Issued counts the tokens given out.
func (s *Sim) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Issued counts the tokens given out.
func (s *Sim) Issued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}

// tick gives the next moment; the lock is held.
func (s *Sim) tick() string {
	s.now = s.now.Add(time.Second)
	return s.now.Format("2006-01-02T15:04:05-07:00")
}

func find(all []map[string]any, id any) map[string]any {
	for _, one := range all {
		if fmt.Sprint(one["id"]) == fmt.Sprint(id) {
			return one
		}
	}
	return nil
}

func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_id") != clientID || r.PostForm.Get("client_secret") != clientSecret {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_client", "error_description": "invalid client credentials"})
		return
	}
	s.mu.Lock()
	s.issued++
	token := fmt.Sprintf("00D5g00000AbCdE!token-%d", s.issued)
	s.tokens[token] = true
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"access_token": token, "instance_url": "http://" + r.Host, "token_type": "Bearer"})
}

// with lets only requests with a live token and the right business unit
// through, one at a time.
func (s *Sim) with(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case !s.tokens[token]:
			refuse(w, http.StatusUnauthorized, 184, "access_token is invalid, unknown, or malformed")
		case r.Header.Get("Pardot-Business-Unit-Id") != unit:
			refuse(w, http.StatusForbidden, 181, "Business Unit ID is not valid")
		default:
			if r.Header.Get("X-Return-Api-Usage") == "1" {
				w.Header().Set("X-Api-Usage", fmt.Sprintf("%d/25000", s.used))
			}
			next(w, r)
		}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The only failure is that of a caller who has gone.
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	answer(w, status, map[string]any{"code": code, "message": message})
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || json.Unmarshal(b, v) != nil {
		refuse(w, http.StatusBadRequest, 13, "the body is not the JSON expected")
		return false
	}
	return true
}
