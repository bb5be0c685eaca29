package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

const (
	apiToken     = "token-of-the-api"
	sessionToken = "token-of-a-session"
	pageHost     = "bridge.example.com"
)

const labRules = `
rules:
  - { name: news, type: news, emit: { event: "Newsletter:Subscribed", identity: { email: body.email }, traits: { company: body.company } } }
  - name: order
    type: order
    emit: { event: "Order:Completed", identity: { email: body.email }, value: { amount: body.amount, currency: "'EUR'" } }
`

// labVendor is an invented vendor with every capability that the web reaches.
type labVendor struct {
	mu       sync.Mutex
	checkErr error
	tokens   []string // that calls were made with
}

// labConn is one opening of it.
type labConn struct {
	v   *labVendor
	cfg connectors.Config
}

func (c *labConn) Descriptor() *connectors.Descriptor { return labDescriptor() }
func (c *labConn) Limits() connectors.Limits {
	return connectors.Limits{Batch: 10, Concurrency: 1, Takes: connectors.TakesState}
}
func (c *labConn) Push(context.Context, []connectors.Update) ([]connectors.Result, error) {
	return nil, errors.New("nothing is pushed here")
}
func (c *labConn) AccountLimits() connectors.Limits { return c.Limits() }
func (c *labConn) PushAccounts(context.Context, []connectors.AccountUpdate) ([]connectors.Result, error) {
	return nil, errors.New("nothing is pushed here")
}
func (c *labConn) Check(context.Context) (string, error) {
	c.v.mu.Lock()
	defer c.v.mu.Unlock()
	c.v.tokens = append(c.v.tokens, c.cfg.Secret("token").Reveal())
	return "Account 7", c.v.checkErr
}
func (c *labConn) Register(context.Context, []string) (*connectors.Registration, error) {
	return &connectors.Registration{ID: "w1", Types: []string{"news"}, Secrets: map[string]secret.Text{"signing_secret": secret.New("made-by-the-vendor")}}, nil
}
func (c *labConn) Registered(context.Context) ([]connectors.Registration, error) { return nil, nil }
func (c *labConn) Unregister(context.Context) error                              { return nil }
func (c *labConn) Receive(*connectors.Request) (*connectors.Receipt, error) {
	return nil, connectors.Reject(connectors.ErrUnsigned, "no signature")
}

func labDescriptor() *connectors.Descriptor {
	return &connectors.Descriptor{
		ID: "lab", Name: "Lab", Category: "test", Summary: "An invented vendor.", Rules: []byte(labRules), Guide: []byte("1. Press the button."),
		Secrets: []connectors.FieldSpec{
			{Name: "token", Label: "Token", Help: "From the vendor.", Required: "destination"},
			{Name: "signing_secret", Label: "Signing secret", Help: "From the vendor.", Advanced: true},
		},
		Settings: []connectors.FieldSpec{
			{Name: "base_url", Label: "Address", Help: "Where it is.", Default: "https://api.example.com"},
			{Name: "mode", Label: "Mode", Help: "How.", Choices: []string{"slow", "fast"}},
		},
	}
}

// lab is a whole web on a store of its own.
type lab struct {
	*testing.T
	web      *web.Web
	store    *store.Store
	registry *jobs.Registry
	admin    *jobs.Admin
	vendor   *labVendor
	log      *bytes.Buffer
	logMu    sync.Mutex
	now      time.Time
	woken    []string
	plans    []int64
}

// Write takes the log.
func (l *lab) Write(b []byte) (int, error) {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	return l.log.Write(b)
}

func newLab(t *testing.T, change func(*web.Options)) *lab {
	t.Helper()
	l := &lab{T: t, vendor: &labVendor{}, log: &bytes.Buffer{}, now: time.Now()}
	clock := func() time.Time { return l.now }
	var err error
	if l.store, err = store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: clock, Asked: countAsked}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.store.Close(); err != nil {
			t.Error(err)
		}
	})
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(l, nil))
	classic, _ := plans.Source("classic")
	l.registry, err = jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: l.store, Vault: vault, Instance: "lab", PublicURL: "https://" + pageHost, DefaultPlan: classic, Now: clock, Log: log,
		Catalog: []connectors.Vendor{{Descriptor: labDescriptor(), Open: func(cfg connectors.Config) (connectors.Connector, error) {
			if strings.Contains(cfg.Settings["base_url"], "wrong") {
				return nil, errors.Join(&connectors.SettingError{Field: "base_url", Detail: "is wrong"}, &connectors.SettingError{Field: "mode", Detail: "is wrong too"})
			}
			return &labConn{l.vendor, cfg}, nil
		}}},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	works := jobs.NewWorks(l.store, clock, log)
	processor := &jobs.Processor{Store: l.store, Registry: l.registry, Now: clock, Log: log}
	works.Add(jobs.PublishKind(works, processor))
	works.Add(jobs.ReplayKind(processor))
	works.Add((&jobs.Eraser{Processor: processor}).Kind())
	works.Add(jobs.SummariesKind(l.store, l.registry, clock))
	works.Add(jobs.ReleaseKind(l.store))
	works.Add(jobs.ResyncKind(l.store, l.registry))
	works.Add(jobs.ReportKind(l.store, l.registry, clock))
	works.Add(jobs.ScoresKind(l.store, l.registry, clock))
	l.admin = &jobs.Admin{Registry: l.registry, Works: works,
		Wake:          func(id string) { l.woken = append(l.woken, id) },
		PlanPublished: func(_ context.Context, v int64) { l.plans = append(l.plans, v) }}
	works.Add(jobs.RulesPreviewKind(l.admin))
	works.Add(jobs.PlanPreviewKind(l.admin))
	o := web.Options{Store: l.store, Registry: l.registry, Admin: l.admin, PublicURL: "https://" + pageHost, APIToken: secret.New(apiToken),
		Version: "1.2.3", Now: clock, Log: log}
	if change != nil {
		change(&o)
	}
	if l.web, err = web.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.web.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// connect makes a connection of the invented vendor.
func (l *lab) connect(id string, push *connectors.PushConfig) {
	l.Helper()
	_, err := l.admin.Create(l.Context(), jobs.ConnectionInput{ID: id, Connector: "lab", Push: push, Secrets: map[string]secret.Text{"token": secret.New("t-" + id)}})
	if err != nil {
		l.Fatal(err)
	}
}

// tell keeps a raw event and gives its inbox id.
func (l *lab) tell(connection, kind, body string) int64 {
	l.Helper()
	at := lifecycle.At(l.now)
	r, err := l.store.Append(connection, at, []store.NewEvent{{Dedupe: sha256.Sum256([]byte(kind + body)), Type: kind, At: at, Body: []byte(body)}})
	if err != nil {
		l.Fatal(err)
	}
	return r.ID
}

// process brings everything told into force.
func (l *lab) process() {
	l.Helper()
	p := &jobs.Processor{Store: l.store, Registry: l.registry, Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}
	if err := p.Run(l.Context()); err != nil {
		l.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	return v
}

// send makes a request; headers are "Name: value".
func (l *lab) send(method, path, body string, headers ...string) answer {
	l.Helper()
	r := httptest.NewRequestWithContext(l.Context(), method, "https://"+pageHost+path, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	l.web.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		l.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// api calls the API with its token.
func (l *lab) api(method, path, body string, headers ...string) answer {
	l.Helper()
	return l.send(method, "/api/v1"+path, body, append([]string{"Authorization: Bearer " + apiToken}, headers...)...)
}

// get asks for a page as a browser of somebody logged in does.
func (l *lab) get(path string) answer {
	l.Helper()
	return l.send("GET", path, "", l.browser()...)
}

// post sends a form as that browser does; pairs are names and values.
func (l *lab) post(path string, pairs ...string) answer {
	l.Helper()
	return l.send("POST", path, form(pairs...), append(l.browser(), "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin")...)
}

// browser logs in without the login page.
func (l *lab) browser() []string {
	l.Helper()
	hash := sha256.Sum256([]byte(sessionToken))
	if _, err := l.store.Session(l.Context(), hash[:]); errors.Is(err, store.ErrNotFound) {
		err := l.store.AddUser(l.Context(), store.User{Name: "admin", Password: "none", Role: "admin"})
		if err != nil && !errors.Is(err, store.ErrExists) {
			l.Fatal(err)
		}
		if err := l.store.StartSession(l.Context(), hash[:], "admin", 0); err != nil {
			l.Fatal(err)
		}
	}
	return []string{"Accept: text/html", "Cookie: __Host-stagebridge=" + sessionToken}
}

func form(pairs ...string) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprintf("%s=%s", pairs[i], escape(pairs[i+1])))
	}
	return strings.Join(parts, "&")
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// everybody is trusted as a proxy, so that a test may come from any address.
func everybody() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
}
