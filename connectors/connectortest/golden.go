package connectortest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

var update = flag.Bool("update", false, "write the golden files of connectors anew")

// signHeader in a golden request asks the suite to sign it: "current",
// "previous" or "other"; "none" says that it is to be refused as it is. It is
// taken out before the connector sees it.
const signHeader = "Test-Sign"

// runGoldens compares what each golden case gives with its want.json:
//
//	testdata/receive/<case>/request.http    a delivery, and what it becomes
//	testdata/push/<case>/updates.json       people, and the requests that brings
//
// With -update want.json is written instead, to be read in review.
func runGoldens(t *testing.T, c Case) {
	dir := cmp.Or(c.Dir, "testdata")
	found := 0
	var wanted []string
	each := func(subject, file string, run func(t *testing.T, text []byte, refused bool) any) {
		wanted = append(wanted, filepath.Join(dir, subject, "<case>", file))
		paths, err := filepath.Glob(filepath.Join(dir, subject, "*", file))
		if err != nil {
			t.Fatal(err)
		}
		found += len(paths)
		for _, path := range paths {
			t.Run(subject+"/"+filepath.Base(filepath.Dir(path)), func(t *testing.T) {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				want := filepath.Join(filepath.Dir(path), "want.json")
				compareGolden(t, want, run(t, text, refuses(want)))
			})
		}
	}
	if c.Source != nil {
		each("receive", "request.http", func(t *testing.T, text []byte, refused bool) any { return c.goldenReceive(t, text, refused) })
	}
	if c.Destination != nil {
		each("push", "updates.json", func(t *testing.T, text []byte, _ bool) any { return c.goldenPush(t, text) })
	}
	if found == 0 {
		t.Errorf("%s holds no golden case; wanted is at least one of %s", dir, strings.Join(wanted, ", "))
	}
}

// refuses reports whether a want.json shows a refusal.
func refuses(path string) bool {
	text, err := os.ReadFile(path)
	var want goldenReceipt
	return err == nil && json.Unmarshal(text, &want) == nil && want.Reject != ""
}

// compareGolden compares a value's JSON with a file.
func compareGolden(t *testing.T, path string, value any) {
	t.Helper()
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is missing; run the test with -update and read what it writes", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// goldenEvent is a raw event as want.json shows it.
type goldenEvent struct {
	Type        string             `json:"type"`
	At          string             `json:"at,omitempty"`
	Format      string             `json:"format,omitempty"`
	Headers     map[string]string  `json:"headers,omitempty"`
	Body        any                `json:"body"`
	Echo        string             `json:"echo,omitempty"`
	NeedsRecord bool               `json:"needs_record,omitempty"`
	Written     []connectors.Field `json:"written,omitempty"`
	Broken      string             `json:"broken,omitempty"`
	Mapped      any                `json:"mapped,omitempty"`
}

type goldenReceipt struct {
	Reject string        `json:"reject,omitempty"`
	Events []goldenEvent `json:"events,omitempty"`
	Reply  *goldenReply  `json:"reply,omitempty"`
}

type goldenReply struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`
}

// goldenReceive gives what a request becomes; expected says that its want.json
// shows a refusal so far.
func (c Case) goldenReceive(t *testing.T, text []byte, expected bool) goldenReceipt {
	t.Helper()
	src, o := c.openSource(t, c.Source.Keys[0], c.Source.Keys[1])
	r, sign := c.parseRequest(t, o, text)
	rc, err := src.Receive(r)
	if err != nil {
		if sign == "" && !expected {
			t.Fatalf("the request was refused (%v), and its request.http has no header %s; write current, previous or other to have it signed, none where the refusal is what the case shows", err, signHeader)
		}
		return goldenReceipt{Reject: err.Error()}
	}
	var g goldenReceipt
	for _, e := range rc.Events {
		g.Events = append(g.Events, goldenEvent{
			Type: e.Type, At: instantText(e.At), Format: e.Format, Headers: e.Headers, Body: bodyValue(e.Body),
			Echo: e.Echo, NeedsRecord: e.NeedsRecord, Written: e.Written, Broken: e.Broken, Mapped: c.mapped(t, o, e),
		})
	}
	if r := rc.Reply; r.Status != 0 || r.Header != nil || r.Body != nil {
		g.Reply = &goldenReply{cmp.Or(r.Status, http.StatusOK), r.Header, string(r.Body)}
	}
	return g
}

// parseRequest reads a request.http, and what its signHeader says. The body is
// what follows the empty line, without the file's last line break.
func (c Case) parseRequest(t *testing.T, o opened, text []byte) (r *connectors.Request, by string) {
	t.Helper()
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	body = bytes.TrimSuffix(body, []byte("\n"))
	hr, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(head) + "\r\n\r\n")))
	if err != nil {
		t.Fatalf("request.http: %v", err)
	}
	base, err := url.Parse(o.config.PublicURL)
	if err != nil {
		t.Fatal(err)
	}
	r = &connectors.Request{
		Method: hr.Method, Path: strings.TrimPrefix(hr.URL.Path, base.Path), Query: hr.URL.RawQuery,
		Header: hr.Header, Body: body, Received: o.config.Now(),
		URL: base.Scheme + "://" + base.Host + hr.URL.RequestURI(),
	}
	by = r.Header.Get(signHeader)
	r.Header.Del(signHeader)
	key := slices.Index([]string{"current", "previous", "other"}, by)
	if key < 0 {
		return r, by
	}
	signed := c.Source.delivery(o.config, c.Source.Keys[key], o.config.Now(), body)
	for name, values := range signed.Header {
		if r.Header.Get(name) == "" {
			r.Header[name] = values
		}
	}
	if r.Query == "" && signed.Query != "" {
		r.Query, r.URL = signed.Query, signed.URL
	}
	return r, by
}

type goldenPush struct {
	Requests []goldenRequest `json:"requests"`
	Results  []goldenResult  `json:"results"`
}

type goldenRequest struct {
	Request string            `json:"request"`
	Header  map[string]string `json:"header,omitempty"`
	Body    any               `json:"body,omitempty"`
}

type goldenResult struct {
	Outcome  connectors.Outcome `json:"outcome"`
	Reason   connectors.Reason  `json:"reason,omitempty"`
	Message  string             `json:"message,omitempty"`
	VendorID string             `json:"vendor_id,omitempty"`
	Sent     int                `json:"sent,omitempty"`
}

func (c Case) goldenPush(t *testing.T, text []byte) goldenPush {
	t.Helper()
	var updates []connectors.Update
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&updates); err != nil {
		t.Fatalf("updates.json: %v", err)
	}
	dest, f, o := c.openDestination(t, nil)
	defer c.checkConsent(t, f)
	var g goldenPush
	for _, r := range push(t, dest, o, updates) {
		g.Results = append(g.Results, goldenResult{r.Outcome, r.Reason, r.Message, r.VendorID, r.Sent})
	}
	for _, r := range f.Requests() {
		gr := goldenRequest{Request: r.Method + " " + r.Path, Body: bodyValue(r.Body)}
		for _, name := range c.Destination.Headers {
			if v := r.Header.Get(name); v != "" {
				if gr.Header == nil {
					gr.Header = map[string]string{}
				}
				gr.Header[name] = v
			}
		}
		g.Requests = append(g.Requests, gr)
	}
	// Several people may go out side by side; then the order of arrival says
	// nothing.
	if len(updates) == 1 {
		return g
	}
	slices.SortStableFunc(g.Requests, func(a, b goldenRequest) int {
		return cmp.Or(cmp.Compare(a.Request, b.Request), cmp.Compare(jsonText(a.Body), jsonText(b.Body)))
	})
	return g
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// bodyValue shows JSON as JSON and anything else as text.
func bodyValue(b []byte) any {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b) && utf8.Valid(b):
		return json.RawMessage(b)
	}
	return string(b)
}

func instantText(i lifecycle.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().Format("2006-01-02T15:04:05.999999Z07:00")
}
