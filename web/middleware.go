package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	headerRequestID = echo.HeaderXRequestID
	maxRequestID    = 64 // bytes of an id that is taken over from a proxy
)

// policy of the pages: everything comes from here, nothing is inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// recovered keeps a panic of one request from ending the connection without an
// answer. It stands outside of Echo, where it costs ingest nothing.
func (w *Web) recovered(rw http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // the standard way to break a connection off
	}
	w.log.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	rw.Header().Set(echo.HeaderContentType, "application/problem+json")
	rw.WriteHeader(http.StatusInternalServerError)
	_, _ = rw.Write([]byte(`{"type":"about:blank","title":"Internal error","status":500}`)) // the client may have gone
}

// identified gives every request an id: the one a proxy sent, where it is
// sane, else a new one.
func (w *Web) identified(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(headerRequestID)
		if !saneID(id) {
			var raw [12]byte
			_, _ = rand.Read(raw[:]) // never fails
			id = hex.EncodeToString(raw[:])
		}
		c.Response().Header().Set(headerRequestID, id)
		return next(c)
	}
}

func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		b := id[i]
		if (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	return true
}

// logged writes a line per request. The query is left out: it may hold what a
// person searched for.
func (w *Web) logged(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		err := next(c)
		if err != nil {
			c.Error(err) // so that the status is known
		}
		r := c.Request()
		w.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", c.Response().Status, "bytes", c.Response().Size,
			"took", time.Since(begun).Round(time.Microsecond), "address", c.RealIP(), "request_id", c.Response().Header().Get(headerRequestID))
		return nil
	}
}

// headed sets what every page and API answer carries.
func (w *Web) headed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		w.setHeaders(c.Response().Header())
		return next(c)
	}
}

func (w *Web) setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	if w.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// limited bounds a request's body.
func limited(bytes int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, bytes)
			return next(c)
		}
	}
}

// sameOrigin refuses what changes something unless the browser says that one
// of our own pages asked for it (CSRF). A request with neither of the headers
// that browsers send is refused too.
func (w *Web) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodOptions:
			return next(c)
		}
		err := w.origins.Check(r)
		if err == nil && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
			err = fmt.Errorf("no Origin")
		}
		if err != nil {
			return &Problem{Status: http.StatusForbidden, Title: "Refused", Detail: "this did not come from a page of this site; nothing was changed. Open the page again and repeat it", Err: err}
		}
		return next(c)
	}
}

// extractor decides whose address a request has. Without proxies it is the
// connection's; with them it is the last one in X-Forwarded-For that no
// trusted proxy added.
func extractor(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		p = p.Masked()
		options = append(options, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// originOf cuts an address to scheme and host.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}
