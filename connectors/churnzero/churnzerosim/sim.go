// Package churnzerosim is a simulated ChurnZero tenant: the HTTP API, which
// answers everything with one picture, and contacts and accounts of the REST
// API. What ChurnZero passes over in silence it passes over as well.
package churnzerosim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Keys that the simulated tenant takes.
const (
	AppKey   = "1!simulated-app-key"
	RESTUser = "bridge@example.com"
	RESTKey  = "simulated-rest-key"
	// URLSecret proves what a play would send.
	URLSecret = "simulated-url-secret"
)

// Attributes of stage and segments, as contacts and as the REST API have them.
const (
	stageAttribute    = "SB Lifecycle Stage"
	segmentsAttribute = "SB Segments"
	stageProperty     = "SBLifecycleStage"
	segmentsProperty  = "SBSegments"
)

// pageSize is how many records the REST API gives at once.
const pageSize = 100

// picture is a GIF of one transparent pixel.
const picture = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// contact belongs to an account and holds attributes by display name.
type contact struct {
	account, id string
	attributes  map[string]string
}

// Sim is a simulated tenant, empty at first. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu       sync.Mutex
	accounts []string
	held     map[string]map[string]string // attributes of accounts, by external id
	contacts []*contact
	writes   int
	ignored  int
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty tenant.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), held: map[string]map[string]string{}}
	s.mux.HandleFunc("POST /i", s.act)
	s.mux.HandleFunc("GET /public/v1/Account", s.rest(s.listAccounts))
	s.mux.HandleFunc("GET /public/v1/Contact", s.rest(s.listContacts))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "ChurnZero")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{
			"base_url": url + "/i", "rest_url": url + "/public/v1", "rest_user": RESTUser,
			"stage_property": stageProperty, "segments_property": segmentsProperty,
			"new_account": "simulated-account", "new_contact_id": "email",
		},
		map[string]string{"app_key": AppKey, "rest_key": RESTKey, "url_secret": URLSecret}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, c := range s.contacts {
		h := standin.Held{Person: cmp.Or(c.attributes["Email"], c.account+"|"+c.id), Stage: c.attributes[stageAttribute]}
		if held := c.attributes[segmentsAttribute]; held != "" {
			h.Segments = strings.Split(held, ", ")
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

// Ignored counts the actions that were answered and not carried out.
func (s *Sim) Ignored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ignored
}

// Accounts lists the accounts' external ids, in the order they were made.
func (s *Sim) Accounts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accounts)
}

// Attribute gives what a contact holds; empty where it holds nothing.
func (s *Sim) Attribute(account, id, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.contacts {
		if c.account == account && c.id == id {
			return c.attributes[name]
		}
	}
	return ""
}

// Add puts a contact in, as somebody did before.
func (s *Sim) Add(account, id, email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(account, id).attributes["Email"] = email
}

// find gives a contact, making it and its account where they are not there, as
// ChurnZero does; the lock is held.
func (s *Sim) find(account, id string) *contact {
	s.account(account)
	for _, c := range s.contacts {
		if c.account == account && c.id == id {
			return c
		}
	}
	c := &contact{account: account, id: id, attributes: map[string]string{}}
	s.contacts = append(s.contacts, c)
	return c
}

// act takes actions. Its answer says nothing.
func (s *Sim) act(w http.ResponseWriter, r *http.Request) {
	var actions []map[string]string
	body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
	if err == nil && json.Unmarshal(body, &actions) == nil {
		s.mu.Lock()
		carried := 0
		for _, a := range actions {
			if s.carryOut(a) {
				carried++
			} else {
				s.ignored++
			}
		}
		if carried > 0 {
			s.writes++
		}
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "image/gif")
	_, _ = io.WriteString(w, picture)
}

// carryOut does one action; false where ChurnZero would do nothing.
func (s *Sim) carryOut(a map[string]string) bool {
	account, id := a["accountExternalId"], a["contactExternalId"]
	ofAccount := a["entity"] == "account"
	if a["appKey"] != AppKey || a["action"] != "setAttribute" || !ofAccount && a["entity"] != "contact" || account == "" || !ofAccount && id == "" {
		return false
	}
	attributes := s.account(account)
	if !ofAccount {
		attributes = s.find(account, id).attributes
	}
	for key, value := range a {
		if name, ok := strings.CutPrefix(key, "attr_"); ok {
			attributes[name] = value
			if value == "" {
				delete(attributes, name)
			}
		}
	}
	return true
}

// account gives an account's attributes, making it where it is not there; the
// lock is held.
func (s *Sim) account(id string) map[string]string {
	if !slices.Contains(s.accounts, id) {
		s.accounts = append(s.accounts, id)
	}
	if s.held[id] == nil {
		s.held[id] = map[string]string{}
	}
	return s.held[id]
}

// AddAccount puts an account in, as somebody did before.
func (s *Sim) AddAccount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(id)
}

// Account gives the attributes of an account; nil where it is not there.
func (s *Sim) Account(id string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.held[id])
}

// rest lets requests of the REST user through.
func (s *Sim) rest(h func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, v := http.StatusUnauthorized, any(map[string]any{"error": map[string]string{"code": "401", "message": "Authorization has been denied for this request."}})
		if user, key, ok := r.BasicAuth(); ok && user == RESTUser && key == RESTKey {
			s.mu.Lock()
			status, v = h(r)
			s.mu.Unlock()
		}
		w.Header().Set("Content-Type", "application/json; odata.metadata=minimal")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
}

func (s *Sim) listAccounts(*http.Request) (int, any) {
	value := []any{}
	for i, id := range s.accounts {
		value = append(value, map[string]any{"Id": i + 1, "ExternalId": id})
	}
	return http.StatusOK, map[string]any{"value": value[:min(len(value), pageSize)]}
}

var emailCondition = regexp.MustCompile(`^Email eq '((?:[^']|'')*)'$`)

func (s *Sim) listContacts(r *http.Request) (int, any) {
	refuse := func(words string) (int, any) {
		return http.StatusBadRequest, map[string]any{"error": map[string]string{"code": "400", "message": words}}
	}
	q := r.URL.Query()
	var emails []string
	if filter := q.Get("$filter"); filter != "" {
		for condition := range strings.SplitSeq(filter, " or ") {
			m := emailCondition.FindStringSubmatch(condition)
			if m == nil {
				return refuse("the filter is not supported")
			}
			emails = append(emails, strings.ReplaceAll(m[1], "''", "'"))
		}
	}
	skip, err := strconv.Atoi(cmp.Or(q.Get("$skip"), "0"))
	if err != nil || skip < 0 {
		return refuse("$skip is not a number")
	}
	all := []any{}
	for i, c := range s.contacts {
		match := emails == nil || slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, c.attributes["Email"]) })
		if match {
			all = append(all, s.record(i, c, q.Get("$expand") == "Account"))
		}
	}
	page := all[min(skip, len(all)):min(skip+pageSize, len(all))]
	answer := map[string]any{"value": page}
	if skip+len(page) < len(all) {
		answer["@odata.nextLink"] = fmt.Sprintf("https://tenant.example.com/public/v1/Contact?$skip=%d", skip+len(page))
	}
	return http.StatusOK, answer
}

func (s *Sim) record(i int, c *contact, expand bool) map[string]any {
	or := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	account := slices.Index(s.accounts, c.account) + 1
	r := map[string]any{
		"Id": i + 1, "AccountId": account, "ExternalId": c.id, "Email": or(c.attributes["Email"]),
		stageProperty: or(c.attributes[stageAttribute]), segmentsProperty: or(c.attributes[segmentsAttribute]),
	}
	if expand {
		r["Account"] = map[string]any{"Id": account, "ExternalId": c.account}
	}
	return r
}
