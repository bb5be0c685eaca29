// Package standin holds simulated vendors for demonstrations, measurements and
// tests: a server base with faults that can be switched on, and a receiver of
// Standard Webhooks. Each vendor's stand-in is in that vendor's folder.
// Every answer of theirs says that it is simulated.
package standin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Header is in every answer of a stand-in and holds its name.
const Header = "Stagebridge-Simulated"

// Options of a server.
type Options struct {
	// Name of what is simulated, for people: "HubSpot".
	Name string
	// Handler speaks the vendor's wire format.
	Handler http.Handler
	// Addr to listen at; empty is a free port of the loopback interface.
	Addr string
}

// Server runs a stand-in on this machine. Its faults may be changed at any
// moment; it is safe for concurrent use.
type Server struct {
	name     string
	handler  http.Handler
	listener net.Listener
	http     *http.Server
	served   chan struct{}
	closed   chan struct{}
	close    sync.Once

	delay    atomic.Int64
	silent   atomic.Bool
	failing  atomic.Int64 // how many more requests fail; negative: all
	status   atomic.Int64
	accepted atomic.Int64
	requests atomic.Int64
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	addr := o.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("standin: listen for the simulated %s: %w", o.Name, err)
	}
	s := &Server{name: o.Name, handler: o.Handler, listener: listener, served: make(chan struct{}), closed: make(chan struct{})}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		// The only error is that of closing.
		_ = s.http.Serve(listener)
	}()
	return s, nil
}

// URL of the stand-in, without a trailing slash.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Label is the name for tables and pages: "HubSpot (simulated)".
func (s *Server) Label() string { return s.name + " (simulated)" }

// Close ends the server and waits for it; open requests are broken off.
func (s *Server) Close() error {
	s.close.Do(func() { close(s.closed) })
	err := s.http.Close()
	<-s.served
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("standin: close the simulated %s: %w", s.name, err)
	}
	return nil
}

// Slow makes every answer wait; zero ends that.
func (s *Server) Slow(d time.Duration) { s.delay.Store(int64(d)) }

// Silent makes every request wait for an answer that does not come, until
// Silent(false), Heal or Close.
func (s *Server) Silent(on bool) { s.silent.Store(on) }

// Fail answers the next n requests with a status; a negative n means all.
func (s *Server) Fail(status, n int) {
	s.status.Store(int64(status))
	s.failing.Store(int64(n))
}

// Heal ends every fault. A request that waits in silence stays unanswered.
func (s *Server) Heal() {
	s.Slow(0)
	s.Silent(false)
	s.Fail(0, 0)
}

// Accepted counts the writes that were answered with 2xx: requests other than
// GET and HEAD.
func (s *Server) Accepted() int64 { return s.accepted.Load() }

// Requests counts all that arrived, those without an answer too.
func (s *Server) Requests() int64 { return s.requests.Load() }

// ServeHTTP implements http.Handler: the faults, then the vendor.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	w.Header().Set(Header, s.name)
	if s.silent.Load() {
		s.wait(r.Context(), nil)
		panic(http.ErrAbortHandler) // net/http's way to end without an answer
	}
	if d := time.Duration(s.delay.Load()); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		if !s.wait(r.Context(), timer.C) {
			panic(http.ErrAbortHandler)
		}
	}
	if s.failsNow() {
		http.Error(w, "simulated failure", int(s.status.Load()))
		return
	}
	counted := &counter{ResponseWriter: w, status: http.StatusOK}
	s.handler.ServeHTTP(counted, r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead && counted.status/100 == 2 {
		s.accepted.Add(1)
	}
}

// wait reports whether the channel came before the end of the request or server.
func (s *Server) wait(ctx context.Context, c <-chan time.Time) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
	case <-s.closed:
	}
	return false
}

// failsNow takes one of the failures that are left.
func (s *Server) failsNow() bool {
	for {
		left := s.failing.Load()
		if left <= 0 {
			return left < 0
		}
		if s.failing.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

// counter notes the status.
type counter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Unwrap serves http.ResponseController.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
