// Package salesforcesim is a simulated Salesforce organization: the token
// endpoint, the few forms of query that a connection asks, and writes to
// collections of contacts and leads, with the refusals of the real one.
package salesforcesim

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
	root         = "/services/data/v66.0"
	maxRecords   = 200
)

var _ standin.Simulated = (*Sim)(nil)

// Sim is one organization. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu      sync.Mutex
	records map[string]*Record // by id of 18 characters
	refused map[string][2]string
	tokens  map[string]bool
	issued  int
	made    int
	changes int
	writes  int
	hidden  map[string]bool  // fields by "Contact.SB_Stage__c": there is none, or no access
	absent  map[string]bool  // those of them that there is not
	bin     []map[string]any // records that were deleted
	used    int              // requests of the day
	now     time.Time        // moves on by a second with every deletion
}

// Record is one object of the organization.
type Record struct {
	Object string
	Fields map[string]any
	// Roles, of an opportunity: ids of contacts, the primary one first.
	Roles []string

	changed int // orders records by their last change
}

// New makes an organization that has the fields of a connection's defaults,
// and nobody in it.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), records: map[string]*Record{}, refused: map[string][2]string{}, tokens: map[string]bool{}, hidden: map[string]bool{}, absent: map[string]bool{}, used: 18, now: time.Date(2026, 11, 20, 9, 20, 0, 0, time.UTC)}
	s.mux.HandleFunc("POST /services/oauth2/token", s.token)
	s.mux.HandleFunc("GET "+root+"/limits", s.with(s.limits))
	s.mux.HandleFunc("GET "+root+"/query", s.with(s.query))
	s.mux.HandleFunc("GET "+root+"/queryAll", s.with(s.queryAll))
	s.mux.HandleFunc("PATCH "+root+"/composite/sobjects", s.with(s.update))
	s.mux.HandleFunc("PATCH "+root+"/composite/sobjects/{object}/{field}", s.with(s.upsert))
	s.mux.HandleFunc("POST "+root+"/tooling/sobjects/CustomField", s.with(s.createField))
	s.mux.HandleFunc("POST "+root+"/sobjects/FieldPermissions", s.with(s.grantField))
	s.mux.HandleFunc("DELETE "+root+"/composite/sobjects", s.with(s.delete))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "salesforce")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "client_id": clientID},
		map[string]string{"client_secret": clientSecret, "webhook_secret": "webhook-secret-of-the-stand-in"}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, id := range slices.Sorted(maps.Keys(s.records)) {
		r := s.records[id]
		stage, _ := r.Fields["SB_Stage__c"].(string)
		segments, _ := r.Fields["SB_Segments__c"].(string)
		email, _ := r.Fields["Email"].(string)
		if stage == "" && segments == "" {
			continue
		}
		h := standin.Held{Person: email, Stage: stage}
		if segments != "" {
			h.Segments = strings.Split(segments, ";")
		}
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

// Add puts a record into the organization and gives its id.
func (s *Sim) Add(r Record) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(&r)
}

func (s *Sim) add(r *Record) string {
	s.made++
	id := Prefixes[r.Object] + fmt.Sprintf("5g%010d", s.made) + suffixes[r.Object]
	r.Fields = maps.Clone(r.Fields)
	r.Fields["Id"] = id
	s.records[id] = r
	s.touch(r)
	return id
}

// Prefixes begin the ids of objects.
var Prefixes = map[string]string{"Contact": "003", "Lead": "00Q", "Account": "001", "Opportunity": "006", "PermissionSet": "0PS"}

// suffixes end the long form of such ids: they tell which characters are capitals.
var suffixes = map[string]string{"Contact": "AAA", "Lead": "EAA", "Account": "AAA", "Opportunity": "AAA", "PermissionSet": "GAA"}

func (s *Sim) touch(r *Record) {
	s.changes++
	r.changed = s.changes
	r.Fields["LastModifiedDate"] = "2026-11-20T09:14:05.000+0000"
}

// Get gives the fields of a record; nil where there is none.
func (s *Sim) Get(id string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records[id]; r != nil {
		return maps.Clone(r.Fields)
	}
	return nil
}

// Remove deletes a record by hand.
func (s *Sim) Remove(id string) { s.Merge(id, "") }

// Merge deletes a record by merging it into another; empty: it is only deleted.
func (s *Sim) Merge(id, into string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(id, into)
}

func (s *Sim) remove(id, into string) {
	s.now = s.now.Add(time.Second)
	gone := map[string]any{"object": s.records[id].Object, "Id": id, "MasterRecordId": nil, "SystemModstamp": s.now.Format("2006-01-02T15:04:05.000+0000")}
	if into != "" {
		gone["MasterRecordId"] = into
	}
	s.bin = append(s.bin, gone)
	delete(s.records, id)
}

// Use sets how many of the day's 5,000 requests are used.
func (s *Sim) Use(used int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = used
}

// Refuse makes every write to the record with an address end with a row error.
// Empty code: no more.
func (s *Sim) Refuse(email, code, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[email] = [2]string{code, message}
}

// Expire ends every session.
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
	answer(w, http.StatusOK, map[string]any{
		"access_token": token, "instance_url": "http://" + r.Host, "token_type": "Bearer",
		"id": "https://login.salesforce.com/id/00D5g00000AbCdEEAV/0055g000001AbCdAAK", "issued_at": "1795166045000", "signature": "c2lnbmF0dXJl",
	})
}

// with lets only requests with a live token through, one at a time.
func (s *Sim) with(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !s.tokens[token] {
			refuse(w, http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
			return
		}
		w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/5000", s.used))
		next(w, r)
	}
}

func (s *Sim) limits(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"DailyApiRequests": map[string]any{"Max": 5000, "Remaining": 5000 - s.used}})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	// The only failure is that of a caller who has gone.
	_ = json.NewEncoder(w).Encode(v)
}

// refuse answers in the form of every error outside of rows: a list.
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, []map[string]any{{"message": message, "errorCode": code}})
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	b, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil || json.Unmarshal(b, v) != nil {
		refuse(w, http.StatusBadRequest, "JSON_PARSER_ERROR", "the body is not the JSON expected")
		return false
	}
	return true
}

// Websites gives the fields of the accounts with a website, in the order of
// their ids.
func (s *Sim) Websites(website string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(s.records)) {
		if r := s.records[id]; r.Object == "Account" && r.Fields["Website"] == website {
			all = append(all, maps.Clone(r.Fields))
		}
	}
	return all
}
