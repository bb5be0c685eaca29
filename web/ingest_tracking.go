package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
)

// unknownKey stands for the connection in the count of requests whose key
// nobody has.
const unknownKey = "v1"

// trackingRoutes adds the root paths /v1/*, where client libraries send that
// know a host and a key but no connection.
func (in *Ingest) trackingRoutes(e *echo.Echo) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
		e.Add(method, "/v1/*", in.track, in.observed)
	}
}

func (in *Ingest) track(c echo.Context) error {
	r := c.Request()
	address := c.RealIP()
	// A page must be able to read a refusal too; the key is all that proves it.
	c.Response().Header().Set("Access-Control-Allow-Origin", "*")
	if !in.limits.mayFail(address, in.RejectLimit) {
		in.reject(c, unknownKey, "rate_limit", "too many failed requests from this address", address)
		return tooMany("too many failed requests from this address; it is let in again within a minute")
	}
	trackers := in.trackers()
	if len(trackers) == 0 {
		return &Problem{Status: http.StatusNotFound, Title: "Not found", Detail: "no connection takes client libraries at /v1; make one of the connector segment"}
	}
	body, err := in.read(r)
	if err != nil {
		in.limits.failed(address)
		in.reject(c, unknownKey, reasonOf(err), err.Error(), address)
		return err
	}
	req := connectors.Request{
		Method: r.Method, URL: in.Registry.PublicURL() + r.URL.RequestURI(), Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header, Body: body, Received: time.Now(), Remote: remote(address),
	}
	for _, conn := range trackers {
		if conn.Open.(connectors.TrackingAPI).Accepts(&req) {
			return in.receive(c, conn, &req, address)
		}
	}
	if r.Method == http.MethodOptions { // a browser's question, which carries no key
		return &Problem{Status: http.StatusNotFound, Title: "Not found", Detail: "no connection takes client libraries at /v1 yet; set its write key"}
	}
	in.limits.failed(address)
	in.reject(c, unknownKey, connectors.ErrSignature.Error(), "no connection has this write key", address)
	return &Problem{Status: http.StatusUnauthorized, Title: "Sender not proved", Detail: "no connection has this write key; nothing of it was kept"}
}

// trackers are the connections that take client libraries, by id.
func (in *Ingest) trackers() []*jobs.Conn {
	var all []*jobs.Conn
	for _, conn := range in.Registry.Config().Connections {
		if _, ok := conn.Open.(connectors.TrackingAPI); ok {
			all = append(all, conn)
		}
	}
	slices.SortFunc(all, func(a, b *jobs.Conn) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return all
}
