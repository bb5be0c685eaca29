package mailchimpsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is one webhook that is to be sent, or was taken with Take.
type Delivery struct {
	Type, URL string
	// Body is signed when it is sent, as every try of Mailchimp's is.
	Body   []byte
	secret string
}

// pair is one field of a form.
type pair struct{ name, value string }

// event queues a webhook for every hook that wants it. Without extra fields
// the contact itself is described. The lock is held.
func (s *Sim) event(source, kind string, m *member, extra []pair) {
	var body []byte
	for _, h := range s.hooks {
		if !h.Events[kind] || !h.Sources[source] && !(source == "api" && s.options.Echo) {
			continue
		}
		if body == nil {
			body = s.form(kind, m, extra)
		}
		s.outbox = append(s.outbox, Delivery{Type: kind, URL: h.URL, Body: body, secret: h.secret})
	}
	if body != nil {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// form writes the body of a webhook, fields in the vendor's order.
func (s *Sim) form(kind string, m *member, extra []pair) []byte {
	fields := []pair{{"type", kind}, {"fired_at", s.options.Now().UTC().Format("2006-01-02 15:04:05")}}
	switch kind {
	case "upemail":
		fields = append(fields, pair{"data[list_id]", s.options.Audience})
		fields = append(fields, extra...)
	case "cleaned":
		fields = append(fields, pair{"data[list_id]", s.options.Audience})
		fields = append(fields, extra...)
		fields = append(fields, pair{"data[email]", m.email})
	default:
		fields = append(fields, extra...)
		fields = append(fields, pair{"data[id]", m.short}, pair{"data[list_id]", s.options.Audience},
			pair{"data[email]", m.email}, pair{"data[email_type]", "html"}, pair{"data[ip_opt]", "192.0.2.10"},
			pair{"data[web_id]", strconv.FormatInt(m.webID, 10)}, pair{"data[merges][EMAIL]", m.email})
		merges := s.mergesOf(m)
		for _, tag := range slices.Sorted(maps.Keys(merges)) {
			fields = append(fields, pair{"data[merges][" + tag + "]", fmt.Sprint(merges[tag])})
		}
	}
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(f.name) + "=" + url.QueryEscape(f.value))
	}
	return []byte(b.String())
}

// Take empties the queue of webhooks, in the order of the changes.
func (s *Sim) Take() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.outbox
	s.outbox = nil
	return all
}

// Pending is how many webhooks wait for delivery.
func (s *Sim) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.outbox)
}

// Deliver sends what waits, one try each, in the order of the changes, and
// gives how many were taken. From the first that is not, the rest goes back to
// the front of the queue.
func (s *Sim) Deliver(ctx context.Context) (int, error) {
	all := s.Take()
	for i, d := range all {
		if err := s.Send(ctx, d); err != nil {
			s.mu.Lock()
			s.outbox = append(all[i:len(all):len(all)], s.outbox...)
			s.counts.Sent += i
			s.mu.Unlock()
			return i, err
		}
	}
	s.mu.Lock()
	s.counts.Sent += len(all)
	s.mu.Unlock()
	return len(all), nil
}

// Request builds the HTTP request of a delivery, signed now.
func (s *Sim) Request(ctx context.Context, d Delivery) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return nil, fmt.Errorf("mailchimpsim: send a webhook: %w", err)
	}
	req.Header.Set("User-Agent", "MailChimp.com")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if d.secret != "" {
		t := strconv.FormatInt(s.options.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(d.secret))
		mac.Write([]byte(t + "."))
		mac.Write(d.Body)
		req.Header.Set("X-Mailchimp-Signature", "t="+t+",v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	return req, nil
}

// Send delivers once; any status but 2xx is an error.
func (s *Sim) Send(ctx context.Context, d Delivery) error {
	req, err := s.Request(ctx, d)
	if err != nil {
		return err
	}
	res, err := s.options.Client.Do(req)
	if err != nil {
		return fmt.Errorf("mailchimpsim: send a webhook: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	_ = res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("mailchimpsim: send a webhook: answered with %d", res.StatusCode)
	}
	return nil
}

// Retries of Run: fewer and quicker than Mailchimp's 75 minutes.
const (
	tries      = 10
	firstPause = 50 * time.Millisecond
	maxPause   = 5 * time.Second
)

// Run sends queued webhooks, one after the other, until the context or the Sim
// ends. Each is tried ten times with growing pauses and then dropped and
// counted as lost.
func (s *Sim) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-ctx.Done():
		case <-time.After(s.options.Latency):
		}
		for _, d := range s.Take() {
			lost := !s.try(ctx, d)
			s.mu.Lock()
			if lost {
				s.counts.Lost++
			} else {
				s.counts.Sent++
			}
			s.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
	}
}

func (s *Sim) try(ctx context.Context, d Delivery) bool {
	pause := firstPause
	for range tries {
		if s.Send(ctx, d) == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
	return false
}
