// Package hubspotsim stands in for HubSpot in the demo and in tests. It speaks
// the parts of HubSpot's API that the connector uses, holds everything in
// memory, sends signed webhooks for what changes, and can be told to fail. It is
// simulated and says so: every answer carries the header Stagebridge-Simulated.
package hubspotsim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// Defaults of Options.
const (
	DefaultAppID    = 556677
	DefaultPortalID = 4400112
	// SimulatedHeader is on every answer.
	SimulatedHeader = "Stagebridge-Simulated"
)

// Options of a Sim. The zero value works; it then takes any token.
type Options struct {
	// Token that calls must bear; empty: any.
	Token secret.Text
	// ClientSecret signs the webhooks.
	ClientSecret secret.Text
	// DeveloperKey that the webhooks API demands; empty: any.
	DeveloperKey secret.Text
	// AppID and PortalID; zero takes the defaults.
	AppID, PortalID int64
	// Target is the address that webhooks go to; Register through the API sets
	// it as well.
	Target string
	// Subscriptions, each a type or type:property; nil takes those that the
	// connector's default rules use.
	Subscriptions []string
	// RateLimit is how many calls are taken in ten seconds; zero: any number.
	RateLimit int
	// TellTraceIDs makes batch results carry objectWriteTraceId, which not all
	// editions of the API do.
	TellTraceIDs bool
	// RefuseWhole makes one bad row fail its whole batch with 400, as the API
	// does for inputs without trace ids.
	RefuseWhole bool
	// Latency is how long after a change Run tells of it; HubSpot itself takes
	// seconds. The change stays Pending meanwhile.
	Latency time.Duration
	// Client sends the webhooks; nil is one with a timeout of five seconds, which
	// is HubSpot's own.
	Client *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Sim is one simulated HubSpot account. It is safe for concurrent use.
type Sim struct {
	options Options
	mux     *http.ServeMux
	closed  chan struct{}
	stop    sync.Once
	wake    chan struct{}

	mu         sync.Mutex
	records    map[string]map[string]*record // by object type (plural), then id
	merged     map[string]string             // contact id to the one it was merged into
	byEmail    map[string]string             // folded address to contact id, primary and additional
	links      map[string][]string           // type/id to contact ids
	properties map[string]*property          // of contacts
	groups     map[string]string             // label by name
	lists      map[string]*list              // by id
	subscribed map[string]*subscription      // by id
	target     string
	queue      []Event
	tokens     map[string]bool
	refused    map[string]string // words by folded address
	faults     []*Fault
	slow       time.Duration
	silent     bool
	window     int64
	inWindow   int
	lastID     int64
	counts     Counts
}

// Counts is what a Sim has seen and done.
type Counts struct {
	// Requests answered, by method and route, for example
	// "POST /crm/v3/objects/{type}/batch/update".
	Requests map[string]int
	// Writes accepted: one per contact and call. Created is how many of them
	// made a contact.
	Writes, Created int
	// Refused rows and calls.
	Refused int
	// Delivered events, and deliveries that failed.
	Delivered, Undelivered int
}

// New makes an account with HubSpot's usual contact properties. Only the first
// of the options counts; none are the zero ones.
func New(options ...Options) *Sim {
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	if o.AppID == 0 {
		o.AppID = DefaultAppID
	}
	if o.PortalID == 0 {
		o.PortalID = DefaultPortalID
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	if o.Subscriptions == nil {
		o.Subscriptions = usualSubscriptions
	}
	s := &Sim{
		options:    o,
		closed:     make(chan struct{}),
		wake:       make(chan struct{}, 1),
		records:    map[string]map[string]*record{"contacts": {}, "companies": {}, "deals": {}, "tickets": {}},
		merged:     map[string]string{},
		byEmail:    map[string]string{},
		links:      map[string][]string{},
		properties: usualProperties(),
		groups:     map[string]string{"contactinformation": "Contact information"},
		lists:      map[string]*list{},
		subscribed: map[string]*subscription{},
		target:     o.Target,
		tokens:     map[string]bool{},
		refused:    map[string]string{},
		lastID:     880000,
		counts:     Counts{Requests: map[string]int{}},
	}
	for _, name := range o.Subscriptions {
		s.subscribe(name)
	}
	s.routes()
	return s
}

// Close ends requests that are held in silence, and Run.
func (s *Sim) Close() { s.stop.Do(func() { close(s.closed) }) }

// Counts gives a copy of what was counted so far.
func (s *Sim) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Requests = make(map[string]int, len(s.counts.Requests))
	for route, n := range s.counts.Requests {
		c.Requests[route] = n
	}
	return c
}

// Handler answers the API's calls.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(SimulatedHeader, "hubspot")
		r.Body = http.MaxBytesReader(w, r.Body, 8<<20)
		_, route := s.mux.Handler(r)
		s.mu.Lock()
		s.counts.Requests[route]++
		fault := s.nextFault(r)
		left, limited := s.spend()
		s.mu.Unlock()
		if fault != nil && !fault.play(s, w, r) {
			return
		}
		s.rateHeaders(w, left)
		switch {
		case limited:
			s.refuse(w, http.StatusTooManyRequests, apiError{
				Status: "error", ErrorType: "RATE_LIMIT", PolicyName: "TEN_SECONDLY_ROLLING", Category: "RATE_LIMITS",
				Message: "You have reached your ten_secondly_rolling limit.",
			})
		case route == "":
			s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "simulated: no such path"})
		case !s.mayCall(r):
			s.refuse(w, http.StatusUnauthorized, apiError{
				Status: "error", Category: "INVALID_AUTHENTICATION",
				Message: "Authentication credentials not found or wrong.",
			})
		default:
			s.mux.ServeHTTP(w, r)
		}
	})
}

// routes lists everything that is answered.
func (s *Sim) routes() {
	m := http.NewServeMux()
	m.HandleFunc("POST /crm/v3/objects/{type}/batch/read", s.batchRead)
	m.HandleFunc("POST /crm/v3/objects/{type}/batch/update", s.batchUpdate)
	m.HandleFunc("POST /crm/v3/objects/{type}/batch/upsert", s.batchUpsert)
	m.HandleFunc("POST /crm/v3/objects/{type}/batch/create", s.batchCreate)
	m.HandleFunc("POST /crm/v3/objects/{type}/search", s.search)
	m.HandleFunc("GET /crm/v3/objects/contacts", s.listContacts)
	m.HandleFunc("POST /crm/v3/objects/contacts/gdpr-delete", s.forgetContact)
	m.HandleFunc("GET /crm/v3/objects/{type}/{id}", s.readOne)
	m.HandleFunc("PATCH /crm/v3/objects/{type}/{id}", s.updateOne)

	m.HandleFunc("GET /crm/v3/properties/{type}", s.listProperties)
	m.HandleFunc("POST /crm/v3/properties/{type}", s.createProperty)
	m.HandleFunc("GET /crm/v3/properties/{type}/{name}", s.readProperty)
	m.HandleFunc("PATCH /crm/v3/properties/{type}/{name}", s.updateProperty)
	m.HandleFunc("POST /crm/v3/properties/{type}/groups", s.createGroup)

	m.HandleFunc("POST /crm/v4/associations/{from}/contacts/batch/read", s.readAssociations)

	m.HandleFunc("POST /crm/v3/lists/{$}", s.createList)
	m.HandleFunc("GET /crm/v3/lists/object-type-id/{objectType}/name/{name}", s.findList)
	m.HandleFunc("PUT /crm/v3/lists/{id}/memberships/add-and-remove", s.changeMembers)
	m.HandleFunc("GET /crm/v3/lists/records/{objectType}/{id}/memberships", s.readMemberships)

	m.HandleFunc("GET /webhooks/v3/{app}/settings", s.readSettings)
	m.HandleFunc("PUT /webhooks/v3/{app}/settings", s.changeSettings)
	m.HandleFunc("DELETE /webhooks/v3/{app}/settings", s.deleteSettings)
	m.HandleFunc("GET /webhooks/v3/{app}/subscriptions", s.listSubscriptions)
	m.HandleFunc("POST /webhooks/v3/{app}/subscriptions", s.createSubscription)
	m.HandleFunc("PATCH /webhooks/v3/{app}/subscriptions/{id}", s.changeSubscription)
	m.HandleFunc("DELETE /webhooks/v3/{app}/subscriptions/{id}", s.deleteSubscription)

	m.HandleFunc("GET /account-info/v3/details", s.account)
	m.HandleFunc("POST /oauth/v1/token", s.renewToken)
	s.mux = m
}

// nextNumber gives ids that were never used. The caller holds the lock.
func (s *Sim) nextNumber() string {
	s.lastID++
	return strconv.FormatInt(s.lastID, 10)
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	// The client has gone if this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

// refuse counts and answers an error.
func (s *Sim) refuse(w http.ResponseWriter, status int, e apiError) {
	s.mu.Lock()
	s.counts.Refused++
	s.mu.Unlock()
	e.Correlation = "00000000-0000-4000-8000-000000000000"
	answer(w, status, e)
}

// decode reads a JSON body, or answers 400.
func (s *Sim) decode(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		s.refuse(w, http.StatusBadRequest, apiError{Status: "error", Category: "VALIDATION_ERROR", Message: "Invalid input JSON"})
		return false
	}
	return true
}

// apiError is HubSpot's error body.
type apiError struct {
	Status     string              `json:"status"`
	Category   string              `json:"category,omitempty"`
	Message    string              `json:"message"`
	ErrorType  string              `json:"errorType,omitempty"`
	PolicyName string              `json:"policyName,omitempty"`
	Context    map[string][]string `json:"context,omitempty"`
	// Correlation is there in a body of its own, Links and Errors in a part of
	// a batch's answer.
	Correlation string            `json:"correlationId,omitempty"`
	Links       map[string]string `json:"links,omitzero"`
	Errors      []string          `json:"errors,omitzero"`
}
