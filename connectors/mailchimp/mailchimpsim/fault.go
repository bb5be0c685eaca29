package mailchimpsim

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// Fault is something that goes wrong with matching requests. Exactly one of
// Status, Silent and Reset is the end of the request; with none, it is only
// slow.
type Fault struct {
	// Method and Path restrict it; Path is a part of the request's path. Empty: all.
	Method, Path string
	// Times it happens; zero is once, negative until Recover.
	Times int
	// Delay goes before everything else.
	Delay time.Duration
	// Status answers with a status, Header and Body.
	Status int
	Header http.Header
	Body   string
	// Silent never answers, until the caller or Close gives up.
	Silent bool
	// Reset cuts the connection.
	Reset bool
	// After lets the call take effect first: what a client sees when an answer
	// is lost. It needs Status, Silent or Reset.
	After bool
}

// Fail adds a fault; the oldest matching one acts.
func (s *Sim) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// Slow delays every answer; zero ends it.
func (s *Sim) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// Silent keeps every request open without an answer, until it is called with
// false (for new requests), the client gives up, or Close.
func (s *Sim) Silent(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = on
}

// Recover drops every fault.
func (s *Sim) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.slow, s.silent = nil, 0, false
}

// fault finds the fault that a request meets, and uses it up; nil is none.
func (s *Sim) fault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return &Fault{Silent: true}
	}
	for i, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		taken := *f
		taken.Delay += s.slow
		return &taken
	}
	if s.slow > 0 {
		return &Fault{Delay: s.slow}
	}
	return nil
}

// act lets a fault happen and reports whether the request has ended with it.
func (s *Sim) act(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	if f.Delay > 0 {
		pause := time.NewTimer(f.Delay)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-r.Context().Done():
			return true
		case <-s.closed:
			return true
		}
	}
	switch {
	case f.Silent:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		reset(w)
	case f.Reset:
		reset(w)
	case f.Status != 0:
		for name, values := range f.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
	default:
		return false
	}
	return true
}

// reset ends the connection without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
