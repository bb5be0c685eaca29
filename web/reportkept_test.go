package web

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/reports/live"
)

// A report that is computed beside its page tells how far it is, and the page
// shows that as a bar.
func TestReportTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	w := &Web{now: time.Now, log: slog.New(slog.DiscardHandler)}
	t.Cleanup(w.beside.close)
	told, release := make(chan struct{}), make(chan struct{})
	compute := func(_ context.Context, tell func(int64)) (*live.Report, error) {
		tell(250_000)
		close(told)
		<-release
		return &live.Report{Name: "clv"}, nil
	}
	if k := w.keptReport("clv", compute); !k.Running || k.Looked != 0 {
		t.Fatalf("at first: %+v", k)
	}
	<-told
	k := w.keptReport("clv", compute)
	if !k.Running || k.Looked != 250_000 {
		t.Errorf("under way: %+v", k)
	}
	close(release)
	w.beside.wg.Wait()
	if k = w.keptReport("clv", compute); k.Running || k.Report == nil {
		t.Errorf("at the end: %+v", k)
	}
	pages, err := loadPages(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	body := reportPage{Name: "clv", Computing: true, Looked: 250_000, Of: 1_000_000, Width: 25}
	if err := pages.views["report"].ExecuteTemplate(&out, "main", body); err != nil {
		t.Fatal(err)
	}
	if page := out.String(); !strings.Contains(page, "250\u202f000 of about 1\u202f000\u202f000 people") || !strings.Contains(page, `aria-label="25 percent"`) {
		t.Errorf("no bar: %s", page)
	}
}
