package hubspotsim

import (
	"net/http"
	"time"
)

// Fault is one way to go wrong, instead of the true answer.
type Fault struct {
	// Match picks the requests concerned; nil is all.
	Match func(*http.Request) bool
	// Times it happens; zero is once, negative for ever.
	Times int
	// Before is called first, without the Sim's lock.
	Before func()
	// Delay comes before the answer.
	Delay time.Duration
	// Silent keeps the request open and never answers.
	Silent bool
	// Reset cuts the connection.
	Reset bool
	// Status, Header and Body are answered; with Status zero the true answer
	// follows after Delay.
	Status int
	Header http.Header
	Body   string
	// After lets the true handler take effect and then answers as above: what a
	// client sees when an answer is lost.
	After bool
}

// Fail adds a fault behind those that are still to come.
func (s *Sim) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// Refuse makes every write to the contact with this address fail, in these
// words; empty words end it.
func (s *Sim) Refuse(address, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[fold(address)] = words
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

// nextFault takes the first fault that fits; the caller holds the lock.
func (s *Sim) nextFault(r *http.Request) *Fault {
	if s.silent {
		return &Fault{Silent: true}
	}
	for i, f := range s.faults {
		if f.Match != nil && !f.Match(r) {
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

// play acts the fault out and reports whether the true answer is to follow.
func (f *Fault) play(s *Sim, w http.ResponseWriter, r *http.Request) (goOn bool) {
	if f.Before != nil {
		f.Before()
	}
	if f.Silent {
		s.wait(r, nil)
		panic(http.ErrAbortHandler)
	}
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		s.wait(r, timer.C)
	}
	if f.After {
		s.mux.ServeHTTP(discard{http.Header{}}, r)
	}
	if f.Reset {
		// The server cuts the connection without an answer and logs nothing.
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 {
		return !f.After
	}
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	return false
}

// wait until the time is up, the client has gone, or the Sim is closed.
func (s *Sim) wait(r *http.Request, up <-chan time.Time) {
	select {
	case <-up:
	case <-r.Context().Done():
	case <-s.closed:
	}
}

// discard takes an answer that nobody gets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
