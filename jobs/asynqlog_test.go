package jobs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAsynqLogHoldsBack(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := &asynqLog{log: slog.New(slog.NewTextHandler(&out, nil)), now: func() time.Time { return now }}
	for range 100 {
		l.Warn("redis is away")
	}
	l.Error("redis is away")
	if n := strings.Count(out.String(), "redis is away"); n != 1 {
		t.Errorf("%d warnings at once", n)
	}
	now = now.Add(asynqQuiet)
	l.Error("still away")
	if !strings.Contains(out.String(), `"still away" held_back=100`) {
		t.Errorf("log: %s", out.String())
	}
}
