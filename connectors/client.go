package connectors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// Defaults of ClientOptions.
const (
	defaultTimeout   = 15 * time.Second
	defaultMaxAnswer = 4 << 20
	maxDiscard       = 64 << 10
)

// Client makes every request to a vendor. It never follows a redirect, takes
// no proxy from the environment, refuses private addresses unless told
// otherwise, and gives every failure as a *PushError without secrets. It keeps
// its connections open between calls and is safe for concurrent use.
type Client struct {
	transport *http.Transport
	guard     *guard
	timeout   time.Duration
	maxAnswer int64
	userAgent string
	now       func() time.Time
}

// ClientOptions of a Client; the zero value works.
type ClientOptions struct {
	// Timeout of one request; zero is 15 s.
	Timeout time.Duration
	// MaxAnswer is the most bytes of an answer that are read; zero is 4 MiB.
	MaxAnswer int64
	// AllowPrivate lets requests go to loopback and private addresses, there also
	// over plain http. Link-local addresses and those where clouds serve
	// credentials stay refused.
	AllowPrivate bool
	// Allow lists what else may be called although it is not on the open
	// internet, there also over plain http.
	Allow Allow
	// Resolver resolves names; nil is the system's.
	Resolver *net.Resolver
	// UserAgent; empty is "stagebridge/<version>".
	UserAgent string
	// Now is the clock that Retry-After dates are read by; nil is time.Now.
	Now func() time.Time
}

// NewClient makes a client with a connection pool of its own.
func NewClient(o ClientOptions) *Client {
	c := &Client{
		timeout:   o.Timeout,
		maxAnswer: o.MaxAnswer,
		userAgent: o.UserAgent,
		now:       o.Now,
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.maxAnswer <= 0 {
		c.maxAnswer = defaultMaxAnswer
	}
	if c.userAgent == "" {
		c.userAgent = "stagebridge/" + buildVersion()
	}
	if c.now == nil {
		c.now = time.Now
	}
	// A dial gives up before the whole request does, so that "could not connect"
	// and "no answer" stay apart.
	dialer := net.Dialer{Timeout: min(10*time.Second, c.timeout*2/3), KeepAlive: 30 * time.Second, Resolver: o.Resolver}
	c.guard = &guard{private: o.AllowPrivate, allow: o.Allow, dialer: dialer}
	c.transport = newTransport(c.guard)
	return c
}

// buildVersion is the module's version in a released binary, else "dev".
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}

// CloseIdle closes the connections that no call is using.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// Call is one request.
type Call struct {
	// Act names it in errors, vendor first: "hubspot: update contacts".
	Act    string
	Method string // empty is GET, or POST with a body
	URL    string
	// Header is read, never changed; one value may serve many calls at once.
	Header http.Header
	// Body is sent as it is; with JSON set it is made from that.
	Body []byte
	JSON any
	// Secrets are cut out of every text that comes back. What the header
	// Authorization holds is cut out as well.
	Secrets []secret.Text
	// Judge, when set, looks at every answer first and may give an error for a
	// 2xx or another error for the rest; nil leaves it to the shared table. Do
	// fills in what the error leaves empty: Act, Status and, where it is worth
	// a retry, RetryAfter.
	Judge func(*Answer) *PushError
	// Pause, when set, reads from the vendor's own rate-limit headers how long
	// to wait. It is asked for retryable failures without a Retry-After.
	Pause func(*Answer) time.Duration
	// Discard says that the answer's body matters only for words: no more than
	// 64 KiB of it is read, and a 2xx stands even when its body does not come.
	Discard bool
}

// Answer is a vendor's answer, read wholly.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	// secrets travel along, so that an error made from the body later is as
	// clean as one made here.
	secrets []secret.Text
}

// Do makes the call. Any error is a *PushError; for a status that is not 2xx
// it comes from the shared status table, with Retry-After read. The answer is
// given beside the error where there was one.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, refused := c.request(ctx, &call)
	if refused != nil {
		return nil, refused
	}
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, call.failed(err)
	}
	defer res.Body.Close()
	a := &Answer{Status: res.StatusCode, Header: res.Header, secrets: call.Secrets}
	limit := c.maxAnswer
	if call.Discard {
		limit = min(limit, maxDiscard)
	}
	cut, err := a.read(res, limit)
	if err != nil && !call.Discard {
		return nil, call.failed(err)
	}
	if e := c.judge(&call, a, cut && !call.Discard); e != nil {
		return a, e
	}
	return a, nil
}

// request builds the HTTP request; the error is about the call itself.
func (c *Client) request(ctx context.Context, call *Call) (*http.Request, *PushError) {
	refuse := func(reason Reason, words string) (*http.Request, *PushError) {
		return nil, &PushError{Act: call.Act, Reason: reason, Message: words}
	}
	body, kind := call.Body, ""
	if call.JSON != nil {
		b, err := json.Marshal(call.JSON)
		if err != nil {
			return refuse(ReasonInvalid, Words("the request cannot be written as JSON: "+err.Error(), call.Secrets...))
		}
		body, kind = b, "application/json"
	}
	method := call.Method
	if method == "" && body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, call.URL, bodyReader(body))
	if err != nil || req.URL.Host == "" {
		return refuse(ReasonSettings, "the address or method of the request cannot be read")
	}
	switch {
	case req.URL.Scheme == "https":
	case req.URL.Scheme == "http" && c.guard.mayPlain():
		req = req.WithContext(context.WithValue(ctx, plainKey{}, true))
	case req.URL.Scheme == "http":
		return refuse(ReasonBlocked, errPlain.Error())
	default:
		return refuse(ReasonSettings, "the address must begin with https://")
	}
	// The values are shared with the caller's header, the map is not: the
	// transport only reads the values.
	h := make(http.Header, len(call.Header)+3)
	for name, values := range call.Header {
		h[name] = values
	}
	if kind != "" && h["Content-Type"] == nil {
		h["Content-Type"] = []string{kind}
	}
	if h["User-Agent"] == nil {
		h["User-Agent"] = []string{c.userAgent}
	}
	req.Header = h
	moveUserinfo(req)
	return req, nil
}

// bodyReader gives nil for no body; a bytes.Reader lets the transport send the
// request again when a kept connection turns out to be closed.
func bodyReader(body []byte) io.Reader {
	if body == nil {
		return nil
	}
	return bytes.NewReader(body)
}

// moveUserinfo turns user:password@ in the address into Basic authentication,
// which a transport by itself does not do.
func moveUserinfo(req *http.Request) {
	if req.URL.User == nil {
		return
	}
	password, _ := req.URL.User.Password()
	if req.Header["Authorization"] == nil {
		req.SetBasicAuth(req.URL.User.Username(), password)
	}
	req.URL.User = nil
}

// read takes the body up to the limit and says whether it was cut.
func (a *Answer) read(res *http.Response, limit int64) (cut bool, err error) {
	switch n := res.ContentLength; {
	case n == 0 || res.Request.Method == http.MethodHead:
		return false, nil
	case n > 0 && n <= limit:
		a.Body = make([]byte, n)
		got, err := io.ReadFull(res.Body, a.Body)
		a.Body = a.Body[:got]
		return false, err
	}
	a.Body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if int64(len(a.Body)) > limit {
		a.Body = a.Body[:limit]
		return true, err
	}
	return false, err
}

// judge gives the failure that an answer stands for, or nil.
func (c *Client) judge(call *Call, a *Answer, cut bool) *PushError {
	var e *PushError
	if call.Judge != nil {
		e = call.Judge(a)
	}
	switch {
	case e != nil:
		// A copy: the vendor's own value may be shared.
		given := *e
		e = &given
		e.Message = Words(e.Message, call.hidden()...)
	case a.Status >= 200 && a.Status <= 299 && cut:
		e = &PushError{Reason: ReasonBadAnswer, Retryable: true, Message: fmt.Sprintf("the answer is longer than %d bytes", len(a.Body))}
	case a.Status >= 200 && a.Status <= 299:
		return nil
	default:
		e = &PushError{}
		e.Reason, e.Retryable = Classify(a.Status)
		e.Message = Words(statusWords(a), call.hidden()...)
	}
	if e.Act == "" {
		e.Act = call.Act
	}
	if e.Status == 0 {
		e.Status = a.Status
	}
	if e.Retryable && e.RetryAfter == 0 {
		e.RetryAfter = RetryAfter(a.Header, c.now())
	}
	if e.Retryable && e.RetryAfter == 0 && call.Pause != nil {
		e.RetryAfter = min(max(call.Pause(a), 0), maxRetryAfter)
	}
	return e
}

// hidden lists what must not show in a text: the secrets and the credentials
// of the Authorization header, which hold them encoded.
func (call *Call) hidden() []secret.Text {
	hide := call.Secrets
	for _, v := range call.Header["Authorization"] {
		hide = append(hide[:len(hide):len(hide)], secret.New(v))
		if _, credentials, ok := cutScheme(v); ok {
			hide = append(hide, secret.New(credentials))
		}
	}
	if u, err := url.Parse(call.URL); err == nil && u.User != nil {
		password, _ := u.User.Password()
		hide = append(hide[:len(hide):len(hide)], secret.New(password))
	}
	return hide
}

// failed turns a failure without an answer into a *PushError.
func (call *Call) failed(err error) *PushError {
	e := &PushError{Act: call.Act}
	e.Reason, e.Retryable = classifyCause(err)
	e.Message = Words(causeWords(err), call.hidden()...)
	e.Err = &cause{text: e.Message, err: err}
	return e
}

// JSON decodes the body; the error is a *PushError with ReasonBadAnswer.
// Numbers meet an any as json.Number, so that long ids keep their digits.
func (a *Answer) JSON(act string, v any) error {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the JSON value")
		}
	}
	if err == nil {
		return nil
	}
	return &PushError{
		Act: act, Reason: ReasonBadAnswer, Status: a.Status, Retryable: true,
		Message: Words("the answer is not the JSON expected: "+err.Error(), a.secrets...),
	}
}
