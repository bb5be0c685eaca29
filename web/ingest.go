package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// ReceiptHeader carries the id of the first raw event of a request, a
// duplicate the id of the original's.
const ReceiptHeader = "Stagebridge-Receipt"

// retryAfterAway is what a vendor is asked to wait, in seconds, while the
// database is away.
const retryAfterAway = "5"

// Ingest takes what vendors send. A 2xx goes out after the raw events are
// durable (rule 2 of the design); nothing here looks at what they mean.
type Ingest struct {
	Store    *store.Store
	Registry *jobs.Registry
	// Received is told of raw events after they are durable.
	Received func(connection string, needRecord bool)
	// MaxBody is the largest body taken, in bytes, after unpacking; zero is 8 MiB.
	MaxBody int64
	// Rate is how many verified requests a second one connection may send;
	// zero: no limit. Failures are limited per address always.
	Rate int
	// RejectLimit is how many refused requests a minute one address may send
	// before it is refused unread; zero: no limit.
	RejectLimit int
	// Metrics and Tracer watch; nil: nobody does.
	Metrics *observe.Metrics
	Tracer  *observe.Tracer
	// Log gets a line per request at debug level; nil: none.
	Log *slog.Logger

	limits limits
	ids    requestIDs
}

// Routes adds the routes: any method, since vendors probe with GET and HEAD.
func (in *Ingest) Routes(e *echo.Echo) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		e.Add(method, "/hooks/:connection", in.handle, in.observed)
		e.Add(method, "/hooks/:connection/*", in.handle, in.observed)
	}
	in.trackingRoutes(e)
}

func (in *Ingest) handle(c echo.Context) error {
	r := c.Request()
	id := c.Param("connection")
	conn, err := in.Registry.Find(r.Context(), id)
	if err != nil {
		return in.notFound(c, id, err)
	}
	ingestingOf(c).connection = id
	if _, ok := conn.Open.(connectors.Source); !ok {
		return in.unable(c, conn)
	}
	address := c.RealIP()
	if !in.limits.mayFail(address, in.RejectLimit) {
		in.reject(c, id, "rate_limit", "too many failed requests from this address", address)
		return tooMany("too many failed requests from this address; it is let in again within a minute")
	}
	body, err := in.read(r)
	if err != nil {
		in.limits.failed(address)
		in.reject(c, id, reasonOf(err), err.Error(), address)
		return err
	}
	return in.receive(c, conn, &connectors.Request{
		Method: r.Method, URL: publicURL(conn, r), Path: subPath(c), Query: r.URL.RawQuery,
		Header: r.Header, Body: body, Received: time.Now(), Remote: remote(address),
	}, address)
}

// receive has the request verified and split by its connection, which is a
// source.
func (in *Ingest) receive(c echo.Context, conn *jobs.Conn, req *connectors.Request, address string) error {
	id := conn.ID
	seen := ingestingOf(c)
	seen.connection, seen.bytes = id, len(req.Body)
	receipt, err := conn.Open.(connectors.Source).Receive(req)
	if err != nil {
		in.limits.failed(address)
		in.reject(c, id, rejectReason(err), err.Error(), address)
		return problemOfReject(err)
	}
	if !in.limits.allow(id, in.Rate) {
		in.reject(c, id, "rate_limit", "more verified requests than RATE_LIMIT lets in", address)
		return tooMany("this connection sends more requests than it may; nothing of this one was kept, send it again")
	}
	return in.keep(c, conn, receipt, req.Received)
}

// keep makes the events durable and answers.
func (in *Ingest) keep(c echo.Context, conn *jobs.Conn, receipt *connectors.Receipt, now time.Time) error {
	h := c.Response().Header()
	if len(receipt.Events) > 0 {
		seen := ingestingOf(c)
		kept, err := in.Store.Append(conn.ID, lifecycle.At(now), jobs.Keep(receipt.Events, seen.origin()))
		if err != nil {
			return away(c, err)
		}
		seen.kept = kept
		h.Set(ReceiptHeader, strconv.FormatInt(kept.ID, 10))
		if in.Received != nil && kept.New > 0 {
			in.Received(conn.ID, needRecord(receipt.Events))
		}
	}
	for name, values := range receipt.Reply.Header {
		h[name] = values
	}
	status := receipt.Reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	if len(receipt.Reply.Body) == 0 {
		return c.NoContent(status)
	}
	if h.Get(echo.HeaderContentType) == "" {
		h.Set(echo.HeaderContentType, "text/plain; charset=utf-8")
	}
	c.Response().WriteHeader(status)
	_, err := c.Response().Write(receipt.Reply.Body)
	return err
}

func needRecord(events []connectors.RawEvent) bool {
	for i := range events {
		if events[i].NeedsRecord {
			return true
		}
	}
	return false
}

// publicURL is the address as the vendor called it: the configured one, since
// a proxy may have changed host and path, with the request's query.
func publicURL(conn *jobs.Conn, r *http.Request) string {
	url := conn.PublicURL + r.URL.EscapedPath()[len("/hooks/")+len(conn.ID):]
	if r.URL.RawQuery != "" {
		url += "?" + r.URL.RawQuery
	}
	return url
}

// remote is not valid for an address that cannot be read.
func remote(address string) netip.Addr {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

func subPath(c echo.Context) string {
	if rest := c.Param("*"); rest != "" {
		return "/" + rest
	}
	return ""
}

// notFound answers for a connection that is not there, or cannot be looked up.
func (in *Ingest) notFound(c echo.Context, id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &Problem{Status: http.StatusNotFound, Title: "No such connection", Detail: "there is no connection " + strconv.Quote(id) + "; look at the webhook address in its settings"}
	}
	return away(c, err)
}

// unable answers for a connection that cannot take anything now.
func (in *Ingest) unable(c echo.Context, conn *jobs.Conn) error {
	if conn.Err == nil {
		return &Problem{Status: http.StatusNotFound, Title: "Not a source", Detail: conn.Vendor.Descriptor.Name + " takes pushes only; it has no webhook"}
	}
	c.Response().Header().Set("Retry-After", "60")
	return &Problem{Status: http.StatusServiceUnavailable, Title: "Connection not set up", Detail: "the connection's settings are not complete, so nothing can be verified; nothing was kept"}
}

// away is the answer while the database cannot be reached: the vendor is to
// send again.
func away(c echo.Context, err error) error {
	c.Response().Header().Set("Retry-After", retryAfterAway)
	return &Problem{Status: http.StatusServiceUnavailable, Title: "Database away", Detail: "nothing was kept; send it again", Err: err}
}

func tooMany(detail string) error {
	return &Problem{Status: http.StatusTooManyRequests, Title: "Too many requests", Detail: detail, RetryAfter: 60}
}

func (in *Ingest) reject(c echo.Context, id, reason, detail, address string) {
	r := c.Request()
	in.Store.NoteRejection(id, store.Rejection{At: lifecycle.At(time.Now()), Reason: reason, Detail: detail, Method: r.Method, Address: address, Agent: r.UserAgent()})
}

func rejectReason(err error) string {
	var reject *connectors.RejectError
	if errors.As(err, &reject) {
		return reject.Err.Error()
	}
	return connectors.ErrMalformed.Error()
}

// problemOfReject turns a source's refusal into an answer. Nothing but a proof
// of the sender that is missing or wrong is a 401.
func problemOfReject(err error) error {
	detail := "the request was not taken"
	var reject *connectors.RejectError
	if errors.As(err, &reject) {
		detail = reject.Detail
	}
	status, title := http.StatusBadRequest, "Malformed request"
	switch {
	case errors.Is(err, connectors.ErrSignature), errors.Is(err, connectors.ErrUnsigned), errors.Is(err, connectors.ErrStale), errors.Is(err, connectors.ErrUnconfigured):
		status, title = http.StatusUnauthorized, "Sender not proved"
	case errors.Is(err, connectors.ErrUnsupported):
		title = "Not supported"
	}
	return &Problem{Status: status, Title: title, Detail: detail + "; nothing of it was kept"}
}

// promised is the longest body that memory is set aside for because its sender
// says that it will come; a longer one takes memory as it arrives.
const promised = 64 << 10

// read reads the body, unpacked, within the limit.
func (in *Ingest) read(r *http.Request) ([]byte, error) {
	most := in.MaxBody
	if most == 0 {
		most = 8 << 20
	}
	if r.ContentLength > most {
		return nil, tooLarge(most)
	}
	from := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") != "" {
		var err error
		if from, err = unpack(r.Header.Get("Content-Encoding"), r.Body); err != nil {
			return nil, err
		}
	} else if r.ContentLength >= 0 && r.ContentLength <= promised {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, unreadable(err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if int64(len(body)) > most {
		return nil, tooLarge(most)
	}
	return body, nil
}

var errUnreadable = errors.New("unreadable")

func unreadable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &Problem{Status: http.StatusRequestTimeout, Title: "Too slow", Detail: "the body did not arrive in time", Err: err}
	}
	return &Problem{Status: http.StatusBadRequest, Title: "Malformed request", Detail: "the body could not be read to its end; nothing of it was kept", Err: errors.Join(errUnreadable, err)}
}

func tooLarge(most int64) error {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Title: "Too large", Detail: "the body is larger than " + strconv.FormatInt(most, 10) + " bytes; nothing of it was kept"}
}

func reasonOf(err error) string {
	var p *Problem
	if errors.As(err, &p) && p.Status == http.StatusRequestEntityTooLarge {
		return "too_large"
	}
	return "malformed"
}
