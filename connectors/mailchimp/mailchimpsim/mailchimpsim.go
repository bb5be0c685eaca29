// Package mailchimpsim is a simulated Mailchimp: an HTTP handler that speaks
// the wire format of the Marketing API for one audience held in memory, and
// sends the webhooks that changes of it cause. It is for the demo, for tests
// and for measuring; every answer carries the header Stagebridge-Simulated. It keeps
// Mailchimp's rules where a connector could break them: consent is not
// overridden, unknown merge fields are passed over, more than ten requests at
// once are refused.
package mailchimpsim

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// SimulatedHeader is on every answer.
const SimulatedHeader = "Stagebridge-Simulated"

// maxBody bounds what one request may bring.
const maxBody = 8 << 20

// Options of a Sim; the zero value works.
type Options struct {
	// Key is the API key to accept; empty is "simulated-us0".
	Key string
	// Audience is the id of the audience; empty is "a1b2c3d4e5".
	Audience string
	// Name of the audience; empty is "Simulated audience".
	Name string
	// MaxConcurrent requests are served at once, more are answered with 429;
	// 0 is Mailchimp's own 10.
	MaxConcurrent int
	// Unsigned makes webhooks as Mailchimp did before it signed them.
	Unsigned bool
	// Echo reports changes made by API whatever a webhook's sources say.
	Echo bool
	// Probe asks a webhook's URL with GET before it is saved, as Mailchimp does.
	Probe bool
	// Latency is how long after a change Run tells of it; Mailchimp itself takes
	// seconds. The change stays Pending meanwhile.
	Latency time.Duration
	// Client sends webhooks; nil is one with a timeout of 10 s.
	Client *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Sim is the simulated vendor. It is safe for concurrent use.
type Sim struct {
	options Options
	mux     *http.ServeMux
	busy    atomic.Int64
	closed  chan struct{}
	close   sync.Once

	mu       sync.Mutex
	members  map[string]*member // by the MD5 of the address
	fields   []*field
	segments map[int64]*segment
	byName   map[string]*segment // by lower-case name
	hooks    []*hook
	counts   Counts
	faults   []*Fault
	slow     time.Duration
	silent   bool
	lastID   int64
	outbox   []Delivery
	wake     chan struct{}
}

// New makes a vendor with an empty audience that has the usual merge fields. Only the first
// of the options counts; none are the zero ones.
func New(options ...Options) *Sim {
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	if o.Key == "" {
		o.Key = "simulated-us0"
	}
	if o.Audience == "" {
		o.Audience = "a1b2c3d4e5"
	}
	if o.Name == "" {
		o.Name = "Simulated audience"
	}
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = 10
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sim{
		options:  o,
		closed:   make(chan struct{}),
		members:  map[string]*member{},
		segments: map[int64]*segment{},
		byName:   map[string]*segment{},
		wake:     make(chan struct{}, 1),
	}
	for _, tag := range []string{"FNAME", "LNAME", "PHONE", "COMPANY"} {
		s.fields = append(s.fields, &field{ID: int64(len(s.fields) + 1), Tag: tag, Name: tag, Type: "text"})
	}
	s.routes()
	return s
}

// routes is the table of contents: every call that is simulated.
func (s *Sim) routes() {
	s.mux = http.NewServeMux()
	route := func(pattern string, answer func(*call) *problem) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, answer) })
	}
	route("GET /3.0/ping", s.ping)
	route("GET /3.0/lists", s.audiences)
	route("GET /3.0/lists/{list}", s.audience)
	route("GET /3.0/lists/{list}/members", s.listMembers)
	route("POST /3.0/lists/{list}/members/{id}/actions/delete-permanent", s.forgetMember)
	route("GET /3.0/lists/{list}/members/{id}", s.getMember)
	route("PUT /3.0/lists/{list}/members/{id}", s.putMember)
	route("PATCH /3.0/lists/{list}/members/{id}", s.patchMember)
	route("DELETE /3.0/lists/{list}/members/{id}", s.archiveMember)
	route("GET /3.0/lists/{list}/members/{id}/tags", s.getTags)
	route("POST /3.0/lists/{list}/members/{id}/tags", s.postTags)
	route("GET /3.0/lists/{list}/segments", s.getSegments)
	route("POST /3.0/lists/{list}/segments", s.postSegment)
	route("POST /3.0/lists/{list}/segments/{segment}", s.changeSegment)
	route("GET /3.0/lists/{list}/merge-fields", s.getFields)
	route("POST /3.0/lists/{list}/merge-fields", s.postField)
	route("GET /3.0/lists/{list}/webhooks", s.getHooks)
	route("POST /3.0/lists/{list}/webhooks", s.postHook)
	route("PATCH /3.0/lists/{list}/webhooks/{hook}", s.patchHook)
	route("DELETE /3.0/lists/{list}/webhooks/{hook}", s.deleteHook)
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "This is a simulated Mailchimp. Nothing here reaches a real one.\n")
	})
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		notFound().write(w)
	})
}

// Handler answers the API's calls; it is the Sim itself.
func (s *Sim) Handler() http.Handler { return s }

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(SimulatedHeader, "mailchimp")
	if s.busy.Add(1) > int64(s.options.MaxConcurrent) {
		s.busy.Add(-1)
		(&problem{Status: http.StatusTooManyRequests, Title: "Too Many Requests", Detail: "You have exceeded the limit of simultaneous connections."}).write(w)
		return
	}
	defer s.busy.Add(-1)
	s.mux.ServeHTTP(w, r)
}

// call is one request on its way through a handler.
type call struct {
	r      *http.Request
	body   []byte
	answer any // nil: no body
}

// decode reads the JSON body.
func (c *call) decode(v any) *problem {
	if json.Unmarshal(c.body, v) != nil {
		return &problem{Status: http.StatusBadRequest, Title: "JSON Parse Error", Detail: "We encountered an unspecified JSON parsing error."}
	}
	return nil
}

// serve does what all calls share: faults, key, audience, answer. Handlers run
// with the lock held.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, answer func(*call) *problem) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return
	}
	c := &call{r: r, body: body}
	f := s.fault(r)
	if f != nil && f.After {
		_ = s.checked(c, answer)
	}
	if f != nil && s.act(w, r, f) {
		return
	}
	p := s.checked(c, answer)
	if p != nil {
		p.write(w)
		return
	}
	if c.answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(c.answer)
}

func (s *Sim) checked(c *call, answer func(*call) *problem) *problem {
	_, given, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if _, password, ok := c.r.BasicAuth(); ok {
		given = password
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(s.options.Key)) != 1 {
		return &problem{Status: http.StatusUnauthorized, Title: "API Key Invalid", Detail: "Your API key may be invalid, or you've attempted to access the wrong datacenter."}
	}
	if list := c.r.PathValue("list"); list != "" && list != s.options.Audience {
		return notFound()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := answer(c)
	if p != nil {
		s.counts.Refused++
	}
	return p
}

// Close ends requests that are kept waiting, and Run.
func (s *Sim) Close() { s.close.Do(func() { close(s.closed) }) }

func (s *Sim) ping(c *call) *problem {
	c.answer = map[string]string{"health_status": "Everything's Chimpy! (simulated)"}
	return nil
}

func (s *Sim) audiences(c *call) *problem {
	c.answer = map[string]any{"lists": []any{s.list()}, "total_items": 1}
	return nil
}

func (s *Sim) audience(c *call) *problem {
	c.answer = s.list()
	return nil
}

func (s *Sim) list() map[string]any {
	subscribed := 0
	for _, m := range s.members {
		if m.status == "subscribed" {
			subscribed++
		}
	}
	return map[string]any{"id": s.options.Audience, "name": s.options.Name, "double_optin": false, "stats": map[string]any{"member_count": subscribed}}
}
