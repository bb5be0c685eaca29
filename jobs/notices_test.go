package jobs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// noticeLab is a lab whose notices go to one webhook, with one clock for all.
type noticeLab struct {
	*lab
	pusher  *jobs.Pusher
	watch   *jobs.Watch
	notices *jobs.Notices
	n       int

	mu   sync.Mutex
	told []string // state, connection, kind and subject of each message
	down bool     // the webhook answers nothing but 500
}

func (l *noticeLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		Type string
		Data struct{ Connection, Kind, Subject, Detail string }
	}
	err := json.Unmarshal(body, &m)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || l.down {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if strings.Contains(string(body), "example.com\"") || strings.Contains(string(body), "@") {
		l.t.Errorf("a message names somebody: %s", body)
	}
	l.told = append(l.told, strings.TrimPrefix(m.Type, "notification.")+" "+strings.TrimSpace(m.Data.Connection+" "+m.Data.Kind+" "+m.Data.Subject))
}

func newNoticeLab(t *testing.T) *noticeLab {
	t.Helper()
	l := &noticeLab{}
	clock := func() time.Time {
		if l.lab == nil {
			return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		}
		return l.now
	}
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l.lab = newLab(t, s)
	l.connect("crm", connectors.PushConfig{Enabled: true})
	l.pusher = &jobs.Pusher{Store: s, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: clock, Log: slog.New(slog.DiscardHandler)}
	l.watch = jobs.NewWatch(jobs.WatchOptions{Store: s, Registry: l.registry, Now: clock})
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	l.notices = &jobs.Notices{Store: s, Registry: l.registry, Watch: l.watch, Vault: vault, Now: clock, Log: slog.New(slog.DiscardHandler),
		Sender: &notify.Sender{HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true}), Now: clock}}
	l.notices.Listen(l.processor, l.pusher)
	hook := httptest.NewServer(l)
	t.Cleanup(hook.Close)
	if _, err := l.notices.SetConfig(t.Context(), []jobs.ChannelInput{{Channel: notify.Channel{Name: "ops", Kind: notify.Webhook}, URL: &hook.URL}}); err != nil {
		t.Fatal(err)
	}
	return l
}

// order has n raw events come in and processed.
func (l *noticeLab) order(n int, body string) {
	l.t.Helper()
	for range n {
		l.n++
		l.tell("crm", told{"order", l.now.Add(-time.Second), fmt.Sprintf(`{"order":"o%d","email":"p%d@example.com",%s}`, l.n, l.n, body)})
		l.process()
	}
}

// look lets time pass and judges.
func (l *noticeLab) look(after time.Duration) {
	l.t.Helper()
	l.now = l.now.Add(after)
	for _, err := range []error{l.notices.Flush(l.t.Context()), l.watch.Look(l.t.Context()), l.notices.Look(l.t.Context())} {
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// heard compares what the webhook was told since it was compared last.
func (l *noticeLab) heard(want ...string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.told)
	if diff := cmp.Diff(want, l.told); diff != "" {
		l.t.Errorf("told (-want +got):\n%s", diff)
	}
	l.told = nil
}

// TestNoticeOnce: a connection that fails is told of once, once more when it
// has been well for a while, and again for the next time; what the channel does
// not take is told later.
func TestNoticeOnce(t *testing.T) {
	t.Parallel()
	l := newNoticeLab(t)
	push := func() {
		t.Helper()
		_ = l.pusher.Send(t.Context(), "crm") // the vendor's failure is what is looked for
	}
	fails := func([]connectors.Update) ([]connectors.Result, error) {
		return nil, &connectors.PushError{Reason: connectors.ReasonServer, Retryable: true}
	}
	l.order(1, `"amount":"1"`)
	l.vendor.fail = fails
	push()
	l.look(0)
	l.heard()
	l.now = l.now.Add(20 * time.Minute)
	push()
	l.down = true
	l.look(time.Second)
	l.heard()
	l.down = false
	l.look(time.Second) // it is not asked again at once
	l.heard()
	l.look(2 * time.Minute)
	l.look(time.Second)
	l.heard("begun crm failing")
	l.vendor.fail = nil
	l.now = l.now.Add(2 * time.Hour)
	push()
	l.look(time.Second)
	l.heard()
	l.look(6 * time.Minute)
	l.look(time.Second)
	l.heard("ended crm failing")
	l.vendor.fail = fails
	l.order(1, `"amount":"1"`)
	push()
	l.now = l.now.Add(20 * time.Minute)
	push()
	l.look(time.Second)
	l.heard("begun crm failing")
}

// TestNoticeDrift: a field that the vendor renamed is noticed, by the rule that
// reads it, and new rules begin anew.
func TestNoticeDrift(t *testing.T) {
	t.Parallel()
	l := newNoticeLab(t)
	l.order(60, `"amount":"1"`)
	l.look(time.Second)
	l.order(10, `"sum":"1"`)
	l.look(time.Second)
	l.heard()
	l.order(10, `"sum":"1"`)
	l.look(time.Second)
	l.look(time.Second)
	l.heard("begun crm drifting order")
	l.order(1, `"amount":"1"`)
	l.look(time.Second)
	l.look(6 * time.Minute)
	l.heard("ended crm drifting order")
}

// TestNoticePilesUpAndStuck: what waits for long is told of, and so is what
// waits while nothing moves.
func TestNoticePilesUpAndStuck(t *testing.T) {
	t.Parallel()
	l := newNoticeLab(t)
	l.look(0)
	l.tell("crm", told{"order", l.now, `{"order":"a","email":"ann@example.com","amount":"1"}`})
	l.look(time.Second)
	l.heard()
	l.look(3 * time.Minute)
	l.heard("begun stuck processing_stuck")
	l.look(15 * time.Minute)
	l.heard("begun piling")
	if reasons := l.watch.Reasons(); len(reasons) != 2 || strings.Contains(strings.Join(reasons, " "), "crm") {
		t.Errorf("reasons: %q", reasons)
	}
	l.process()
	l.look(time.Second)
	if l.watch.Troubles() != nil {
		t.Errorf("troubles: %v", l.watch.Troubles())
	}
	l.look(35 * time.Minute)
	l.look(time.Second)
	l.heard("begun crm piling", "begun crm stuck push_stuck", "ended piling", "ended stuck processing_stuck")
}

// TestChannelsKeepSecrets: they are stored sealed, kept when they are not
// given, and not carried over to another host.
func TestChannelsKeepSecrets(t *testing.T) {
	t.Parallel()
	l := newNoticeLab(t)
	text := func(s string) *string { return &s }
	mail := notify.Channel{Name: "mail", Kind: notify.Email, SMTP: "smtp.example.com:587", From: "b@example.com", To: []string{"ann@example.com"}, Username: "u"}
	set := func(in jobs.ChannelInput) notify.Channel {
		t.Helper()
		c, err := l.notices.SetConfig(t.Context(), []jobs.ChannelInput{in})
		if err != nil {
			t.Fatal(err)
		}
		return c.Channels[0]
	}
	set(jobs.ChannelInput{Channel: mail, Password: text("hush-hush")})
	if note, err := l.store.Note(t.Context(), jobs.NoticesNote); err != nil || strings.Contains(note, "hush") {
		t.Errorf("stored as %q, %v", note, err)
	}
	if kept := set(jobs.ChannelInput{Channel: mail}); kept.Password.Reveal() != "hush-hush" {
		t.Error("the password was not kept")
	}
	mail.SMTP = "smtp.example.net:587"
	if moved := set(jobs.ChannelInput{Channel: mail}); !moved.Password.Empty() {
		t.Error("the password went to another host")
	}
	mail.To, mail.TLS = []string{"nobody"}, "none"
	if _, err := l.notices.SetConfig(t.Context(), []jobs.ChannelInput{{Channel: mail}}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two mistakes: %v", err)
	}
}
