//go:build !race

package chaos_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between two parts of the system and can break what runs between
// them: cut every connection, hold everything back as a network that drops all
// packets does, or delay it. It passes connections on to the next of its
// backends that answers.
type proxy struct {
	listener net.Listener
	backends []string
	wg       sync.WaitGroup

	mu    sync.Mutex
	next  int
	open  map[net.Conn]bool
	delay time.Duration
	held  chan struct{} // not nil: nothing goes through until it is closed
	ended bool
}

func newProxy(t *testing.T, backends ...string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, backends: backends, open: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return // it is closed
		}
		p.wg.Go(func() { p.pass(in) })
	}
}

// pass joins a connection with a backend until one side ends.
func (p *proxy) pass(in net.Conn) {
	p.gate()
	out, err := p.dial()
	if err != nil {
		_ = in.Close()
		return
	}
	if !p.note(in, out) {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(out, in) })
	wg.Go(func() { p.copy(in, out) })
	wg.Wait()
	p.mu.Lock()
	delete(p.open, in)
	delete(p.open, out)
	p.mu.Unlock()
}

func (p *proxy) dial() (net.Conn, error) {
	p.mu.Lock()
	first := p.next
	p.next++
	p.mu.Unlock()
	var errs []error
	for i := range p.backends {
		c, err := net.DialTimeout("tcp", p.backends[(first+i)%len(p.backends)], 2*time.Second)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// note keeps both ends, unless the proxy has ended meanwhile.
func (p *proxy) note(in, out net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		_, _ = in.Close(), out.Close()
		return false
	}
	p.open[in], p.open[out] = true, true
	return true
}

// copy moves bytes one way, as late as it is told to; the end of one way ends
// both, as the protocols here know no half-closed connections.
func (p *proxy) copy(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.gate()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// gate waits as long as everything is held back, and then the delay.
func (p *proxy) gate() {
	p.mu.Lock()
	held, delay := p.held, p.delay
	p.mu.Unlock()
	if held != nil {
		<-held
	}
	if delay > 0 {
		pause(delay)
	}
}

// cut breaks every connection off with a reset.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// hold lets nothing through until release.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil && !p.ended {
		p.held = make(chan struct{})
	}
}

func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
}

func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// heal ends every fault.
func (p *proxy) heal() {
	p.release()
	p.slow(0)
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.heal()
	p.cut()
	p.wg.Wait()
}

// TestTheProxyBreaksWhatItShould, since the campaign rests on it.
func TestTheProxyBreaksWhatItShould(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	p := newProxy(t, "127.0.0.1:1", echo.Addr().String()) // nobody listens at the first
	c, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	say := func(within time.Duration) error {
		if err := c.SetDeadline(time.Now().Add(within)); err != nil {
			return err
		}
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	}
	if err := say(20 * time.Second); err != nil {
		t.Fatalf("nothing comes through: %v", err)
	}
	p.hold()
	var timeout net.Error
	if err := say(50 * time.Millisecond); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("while everything is held: %v", err)
	}
	p.release()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Errorf("what was held does not come: %v", err)
	}
	p.cut()
	if err := say(20 * time.Second); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("after the cut: %v", err)
	}
}
