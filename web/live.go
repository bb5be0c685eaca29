package web

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// liveEvery is how often a live part is looked at, liveLife how long one
	// stream lasts before the browser asks again: roles and sessions are checked
	// then.
	liveEvery = time.Second
	liveLife  = time.Minute
	// mostLive bounds the streams of one process.
	mostLive = 100
)

// liveParts is what pages that keep themselves up to date share.
type liveParts struct {
	streams atomic.Int64
	closing chan struct{}
}

// StopLive ends the streams of live pages, so that a server that shuts down
// does not wait for them. Browsers ask again, and find whoever serves then.
func (w *Web) StopLive() { close(w.live.closing) }

// stream sends a part of a page as Server-Sent Events whenever it changed.
func (w *Web) stream(c echo.Context, view string, body func() (any, error)) error {
	if w.live.streams.Add(1) > mostLive {
		w.live.streams.Add(-1)
		c.Response().Header().Set("Retry-After", "30")
		return &Problem{Status: http.StatusServiceUnavailable, Title: "Busy", Detail: "too many pages are kept up to date already; this one stands still until it is opened again"}
	}
	defer w.live.streams.Add(-1)
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies would hold the events back
	end := time.NewTimer(liveLife)
	defer end.Stop()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	var last []byte
	for {
		b, err := body()
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := w.pages.views[view].ExecuteTemplate(&out, "live", b); err != nil {
			return fmt.Errorf("web: live part of page %s: %w", view, err)
		}
		if !bytes.Equal(out.Bytes(), last) {
			last = out.Bytes()
			if err := event(c.Response(), last); err != nil {
				return nil // whoever asked has gone
			}
		}
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-w.live.closing:
			return nil
		case <-end.C:
			return nil
		case <-tick.C:
		}
	}
}

// event writes one Server-Sent Event.
func event(r *echo.Response, data []byte) error {
	for line := range bytes.Lines(data) {
		if _, err := fmt.Fprintf(r, "data: %s\n", bytes.TrimRight(line, "\r\n")); err != nil {
			return err
		}
	}
	if _, err := r.Write([]byte("\n")); err != nil {
		return err
	}
	return http.NewResponseController(r).Flush()
}

func (w *Web) liveOverview(c echo.Context) error {
	return w.stream(c, "overview", func() (any, error) { return w.overviewOf(c.Request().Context()) })
}

func (w *Web) liveConnection(c echo.Context) error {
	return w.stream(c, "connection", func() (any, error) {
		conn, err := w.registry.Find(c.Request().Context(), c.Param("id"))
		if err != nil {
			return nil, err
		}
		return w.connectionPageOf(c.Request().Context(), conn)
	})
}
