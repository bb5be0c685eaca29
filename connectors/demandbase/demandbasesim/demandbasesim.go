// Package demandbasesim is a simulated Demandbase account: tokens, imports of
// people and accounts from tables, and exports of people.
package demandbasesim

import (
	"bytes"
	"encoding/csv"
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

const (
	clientID     = "client-of-the-stand-in"
	clientSecret = "secret-of-the-stand-in"
)

var _ standin.Simulated = (*Sim)(nil)

// Sim is one account. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu      sync.Mutex
	imports []*job
	exports []*job
	people  map[string]map[string]string // by address, by label
	sites   map[string]map[string]string // accounts by website, by label
	export  string                       // the table that exports give
	state   string                       // of imports, once uploaded
	status  string                       // of exports
	tokens  map[string]bool
	issued  int
	writes  int
}

// job is an import or an export.
type job struct {
	ID     int64  `json:"id"`
	Name   string `json:"dataImportName"`
	Entity string `json:"entityType"`
	State  string `json:"state"`
	Made   string `json:"createdAt"`
	Source string `json:"source"`

	table  []byte
	fields []string
}

// New makes an account with nobody in it, whose imports and exports are done at
// once.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), people: map[string]map[string]string{}, sites: map[string]map[string]string{}, state: "completed", status: "finished", tokens: map[string]bool{}}
	s.mux.HandleFunc("POST /auth/v1/token", s.token)
	s.mux.HandleFunc("GET /import/v1/jobs", s.with(s.listImports))
	s.mux.HandleFunc("POST /import/v1/job", s.with(s.createImport))
	s.mux.HandleFunc("GET /import/v1/job/{id}", s.with(s.readImport))
	s.mux.HandleFunc("PUT /import/v1/job/{id}/data", s.with(s.upload))
	s.mux.HandleFunc("POST /data/export/v1/job", s.with(s.createExport))
	s.mux.HandleFunc("GET /data/export/v1/job/{id}", s.with(s.readExport))
	s.mux.HandleFunc("GET /results/{id}", s.results)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "demandbase")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "client_id": clientID},
		map[string]string{"client_secret": clientSecret, "signing_secret": "signing-secret-of-the-stand-in"}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, email := range slices.Sorted(maps.Keys(s.people)) {
		p := s.people[email]
		h := standin.Held{Person: email, Stage: p["Lifecycle Stage"]}
		if text := p["Lifecycle Segments"]; text != "" {
			h.Segments = strings.Split(text, ";")
		}
		if h.Stage != "" || len(h.Segments) > 0 {
			all = append(all, h)
		}
	}
	return all
}

// AddAccount puts a company in, as somebody did before.
func (s *Sim) AddAccount(website string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sites[website] = map[string]string{}
}

// Account gives what is held of a company, by label; nil where it is not there.
func (s *Sim) Account(website string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.sites[website])
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// States sets what becomes of imports once they are uploaded, and of exports.
func (s *Sim) States(imports, exports string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.status = imports, exports
	for _, j := range s.imports {
		if j.table != nil {
			j.State = imports
		}
	}
}

// Export sets the table that exports give.
func (s *Sim) Export(table string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.export = table
}

// Person gives what is held of an address, by label; nil for nobody.
func (s *Sim) Person(email string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.people[email])
}

// Exports lists the fields of each export asked for.
func (s *Sim) Exports() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all [][]string
	for _, j := range s.exports {
		all = append(all, j.fields)
	}
	return all
}

// Expire ends every token.
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
	var body struct{ GrantType, ClientID, ClientSecret string }
	if !readJSON(w, r, &body) {
		return
	}
	if body.GrantType != "client_credentials" || body.ClientID != clientID || body.ClientSecret != clientSecret {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.issued++
	token := "token-" + strconv.Itoa(s.issued)
	s.tokens[token] = true
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"accessToken": token, "tokenType": "bearer", "expiresIn": 28800})
}

// with lets only requests with a live token through, one at a time.
func (s *Sim) with(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !s.tokens[token] {
			answer(w, http.StatusUnauthorized, map[string]any{"status": "Unauthorized"})
			return
		}
		next(w, r)
	}
}

func (s *Sim) listImports(w http.ResponseWriter, _ *http.Request) {
	data := []*job{}
	answer(w, http.StatusOK, map[string]any{"totalCount": len(s.imports), "data": append(data, s.imports[:min(1, len(s.imports))]...)})
}

func (s *Sim) createImport(w http.ResponseWriter, r *http.Request) {
	var body struct{ DataImportName, EntityType, Source string }
	if !readJSON(w, r, &body) {
		return
	}
	keyOf := keys()
	if body.DataImportName == "" || keyOf[body.EntityType] == "" || body.Source != "CSV" {
		answer(w, http.StatusBadRequest, map[string]any{"message": "dataImportName and entityType are required, and the source has to be known"})
		return
	}
	j := &job{ID: int64(70411 + len(s.imports)), Name: body.DataImportName, Entity: body.EntityType, State: "new", Made: "2026-11-20T09:20:00Z", Source: body.Source}
	s.imports = append(s.imports, j)
	answer(w, http.StatusOK, j)
}

func (s *Sim) find(w http.ResponseWriter, r *http.Request, all []*job) *job {
	for _, j := range all {
		if strconv.FormatInt(j.ID, 10) == r.PathValue("id") {
			return j
		}
	}
	answer(w, http.StatusNotFound, map[string]any{"message": "no such job"})
	return nil
}

func (s *Sim) readImport(w http.ResponseWriter, r *http.Request) {
	if j := s.find(w, r, s.imports); j != nil {
		answer(w, http.StatusOK, j)
	}
}

// keys are the columns that imports find records by.
func keys() map[string]string { return map[string]string{"Person": "Email", "Account": "Website"} }

// upload takes a table. An import that would touch lists is refused: it would
// empty one.
func (s *Sim) upload(w http.ResponseWriter, r *http.Request) {
	j := s.find(w, r, s.imports)
	if j == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	lines, wrong := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || wrong != nil || len(lines) == 0 || lines[0][0] != keys()[j.Entity] || r.URL.Query().Get("listAction") != "noop" || r.Header.Get("Content-Type") != "application/octet-stream" {
		answer(w, http.StatusBadRequest, map[string]any{"message": "the table cannot be read, or a list would be emptied"})
		return
	}
	j.table, j.State = body, s.state
	s.writes++
	records := s.people
	if j.Entity == "Account" {
		records = s.sites
	}
	for _, line := range lines[1:] {
		p := records[line[0]]
		if p == nil {
			p = map[string]string{}
			records[line[0]] = p
		}
		for i, label := range lines[0][1:] {
			p[label] = line[i+1]
		}
	}
	taken := *j
	taken.State = "processing"
	if s.state == "failed" {
		taken.State = "failed"
	}
	answer(w, http.StatusOK, taken)
}

func (s *Sim) createExport(w http.ResponseWriter, r *http.Request) {
	var body struct {
		EntityType, JobName, Format string
		Fields                      []string
	}
	if !readJSON(w, r, &body) {
		return
	}
	if body.EntityType != "person" || body.JobName == "" || len(body.JobName) > 50 || len(body.Fields) == 0 || body.Format != "CSV" {
		answer(w, http.StatusBadRequest, map[string]any{"errorCode": "400-115", "errorMessage": "a field is not valid", "diagnosticCode": "0b1d"})
		return
	}
	j := &job{ID: int64(len(s.exports) + 1), fields: body.Fields}
	s.exports = append(s.exports, j)
	answer(w, http.StatusAccepted, map[string]any{"jobId": fmt.Sprintf("%d", j.ID), "jobStatus": "accepted"})
}

func (s *Sim) readExport(w http.ResponseWriter, r *http.Request) {
	j := s.find(w, r, s.exports)
	if j == nil {
		return
	}
	out := map[string]any{"jobId": fmt.Sprintf("%d", j.ID), "jobStatus": s.status}
	if s.status == "finished" {
		out["resultsUrl"] = "http://" + r.Host + "/results/" + r.PathValue("id") + "?X-Amz-Signature=abc"
	}
	answer(w, http.StatusOK, out)
}

// results is the store of another host's: it takes no token, only its signature.
func (s *Sim) results(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "" || r.URL.Query().Get("X-Amz-Signature") != "abc" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/csv")
	_, _ = io.WriteString(w, s.export)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The only failure is that of a caller who has gone.
	_ = json.NewEncoder(w).Encode(v)
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || json.Unmarshal(b, v) != nil {
		answer(w, http.StatusBadRequest, map[string]any{"message": "the body is not the JSON expected"})
		return false
	}
	return true
}
