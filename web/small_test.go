package web

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
)

func TestDecimal(t *testing.T) {
	t.Parallel()
	for micros, want := range map[int64]string{
		0: "0.00", 1: "0.000001", 1_200_500_000: "1200.50", 1_005_000: "1.005", -2_500_000: "-2.50", -1: "-0.000001",
		1<<63 - 1: "9223372036854.775807", -1 << 63: "-9223372036854.775808",
	} {
		if got := decimal(micros); got != want {
			t.Errorf("%d: %s, want %s", micros, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", -1000: "-1 000", -100: "-100", 1234567: "1 234 567"} {
		if got := strings.ReplaceAll(thousands(n), "\u202f", " "); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "now", 3 * time.Second: "3 s ago", -90 * time.Second: "in 1 min", 3 * time.Hour: "3 h ago", 72 * time.Hour: "3 days ago",
	} {
		if got := ago(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestThrottleForgets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	th := newThrottle(func() time.Time { return now })
	allowed := 0
	for i := range 3 * throttledMost {
		if th.may(fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)) {
			allowed++
		}
	}
	if allowed > attemptsAll {
		t.Errorf("%d attempts at one instant from many addresses", allowed)
	}
	if len(th.each) > throttledMost {
		t.Errorf("%d addresses are remembered", len(th.each))
	}
	if network("2001:db8::1") != network("2001:db8::2") || network("192.0.2.1") == network("192.0.2.2") || network("::ffff:192.0.2.1") != network("192.0.2.1") {
		t.Error("who counts as one sender")
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	p := newPasswords()
	hash, err := p.hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	for _, c := range []struct {
		hash, plain string
		want        bool
	}{
		{hash, "correct horse", true}, {hash, "correct hors", false}, {hash, "", false}, {"", "", false}, {"", "correct horse", false},
		{hash[:len(hash)-2], "correct horse", false}, {"$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$c3Vt", "x", false}, {"$$$$$$", "x", false}, {"plain", "plain", false},
	} {
		if ok, err := p.matches(t.Context(), c.hash, c.plain); ok != c.want || err != nil {
			t.Errorf("%q with %.60q: %v, %v", c.plain, c.hash, ok, err)
		}
	}
}

// TestProblemsTellNothing: what is not known to be fit for others is not shown.
func TestProblemsTellNothing(t *testing.T) {
	t.Parallel()
	inner := errors.New(`pq: relation "users" at 10.1.2.3:5432, password=hush`)
	for _, err := range []error{
		inner, fmt.Errorf("store: user: %w", inner), fmt.Errorf("%w: %w", store.ErrAway, inner), fmt.Errorf("%w: %w", store.ErrNotFound, inner),
		&connectors.PushError{Reason: connectors.ReasonConnection, Err: inner, Act: "lab: check"},
		&Problem{Status: 503, Title: "x", Detail: "y", Err: inner},
	} {
		p := problemOf(err)
		if text := fmt.Sprint(p.Title, p.Detail, p.Mistakes); strings.Contains(text, "hush") || strings.Contains(text, "10.1") {
			t.Errorf("%v shows %s", err, text)
		}
	}
}
