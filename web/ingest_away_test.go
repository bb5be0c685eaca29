package web_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// cable carries connections to a server until it is pulled.
type cable struct {
	to string
	l  net.Listener

	mu     sync.Mutex
	pulled bool
	open   map[net.Conn]bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{to: to, l: l, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		c.pull(true)
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(in)
		}
	}()
	return c
}

func (c *cable) carry(in net.Conn) {
	defer in.Close()
	var dialer net.Dialer
	out, err := dialer.DialContext(context.Background(), "tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	c.mu.Lock()
	if c.pulled {
		c.mu.Unlock()
		return
	}
	c.open[in], c.open[out] = true, true
	c.mu.Unlock()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1]) // ends when either side does
			done <- struct{}{}
		}()
	}
	<-done
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, in)
	delete(c.open, out)
}

// pull cuts every connection and refuses new ones, or ends that.
func (c *cable) pull(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = yes
	if yes {
		for conn := range c.open {
			_ = conn.Close() // it may be closed already
		}
	}
}

// TestIngestDatabaseAway: nothing is acknowledged while it cannot be kept, and
// nothing has to be started again afterwards.
func TestIngestDatabaseAway(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(storetest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	c := newCable(t, u.Host)
	u.Host = c.l.Addr().String()
	s, err := store.Open(t.Context(), store.Options{URL: u.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	d := newDoor(t, s, nil)
	if a := d.post(signed("m1", signup, time.Now()), signup); a.Status/100 != 2 {
		t.Fatalf("before: %+v", a)
	}
	c.pull(true)
	for range 3 {
		a := d.post(signed("m2", signup, time.Now()), signup)
		if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.Header.Get("Stagebridge-Receipt") != "" {
			t.Errorf("while it is away: %+v", a)
		}
		if strings.Contains(a.Body, u.Host) {
			t.Errorf("the answer shows where the database is: %s", a.Body)
		}
	}
	c.pull(false)
	deadline := time.Now().Add(20 * time.Second)
	for d.post(signed("m2", signup, time.Now()), signup).Status/100 != 2 {
		if time.Now().After(deadline) {
			t.Fatal("it does not recover")
		}
	}
	if rows := d.inbox(); len(rows) != 2 || rows[0].Status != "done" || rows[1].Status != "done" {
		t.Errorf("afterwards: %+v", rows)
	}
}

// TestIngestClosedStore is the same for a store that has gone for good, as it
// has while the process ends.
func TestIngestClosedStore(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	d := newDoor(t, s, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if a := d.post(signed("m1", signup, time.Now()), signup); a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("answer: %+v", a)
	}
}
