package web

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/reports/live"
)

const (
	// besidePeople is how many people a report may be about for a page to wait
	// for it; beyond them it is computed beside the page.
	besidePeople = 5_000
	// reportLife is how long a kept report counts as new, and reportShare how many
	// times as long as computing it took, whichever is more.
	reportLife, reportShare = 30 * time.Second, 20
	// reportBeside bounds the computing of one report beside pages, its turn
	// included.
	reportBeside = 10 * time.Minute
	// reportAgain is after how long one that failed is tried again.
	reportAgain = 10 * time.Second
	// mostReports is how many are kept.
	mostReports = 50
)

// keptReports are reports that pages showed, and those under way. The zero value
// is ready.
type keptReports struct {
	mu  sync.Mutex
	all map[string]*keptReport
}

// keptReport is what became of computing one; Report and Err are empty while it
// is computed for the first time.
type keptReport struct {
	Report  *live.Report
	Err     error
	Running bool
	// Looked is at how many people the computing under way has looked.
	Looked int64
	until  time.Time // new until then
	looked time.Time
}

// reportKey names a report by what it is asked for and the plan.
func reportKey(name string, plan int64, query url.Values) string {
	q := url.Values{}
	for field, values := range query {
		if field != "format" && len(values) > 0 && values[0] != "" {
			q.Set(field, values[0])
		}
	}
	return fmt.Sprintf("%s %d %s", name, plan, q.Encode())
}

// look gives what is kept under a key, and whether the caller is to compute it
// (anew) and to call done with what became of it.
func (k *keptReports) look(key string, now time.Time) (found keptReport, compute bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := k.all[key]
	if one == nil {
		if k.all == nil {
			k.all = map[string]*keptReport{}
		}
		k.makeRoom()
		one = &keptReport{}
		k.all[key] = one
	}
	one.looked = now
	if compute = !one.Running && !now.Before(one.until); compute {
		one.Running, one.Looked = true, 0
	}
	return *one, compute
}

// makeRoom forgets the one that nobody looked at for longest; mu is held.
func (k *keptReports) makeRoom() {
	oldest := ""
	for key, one := range k.all {
		if !one.Running && (oldest == "" || one.looked.Before(k.all[oldest].looked)) {
			oldest = key
		}
	}
	if len(k.all) >= mostReports {
		delete(k.all, oldest)
	}
}

// looked keeps how far the computing of a report is.
func (k *keptReports) looked(key string, people int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if one := k.all[key]; one != nil {
		one.Looked = people
	}
}

// done keeps what became of a report. An error leaves what was there before.
func (k *keptReports) done(key string, r *live.Report, err error, now time.Time, took time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := k.all[key]
	if one == nil {
		return
	}
	one.Running, one.Err, one.until = false, err, now.Add(reportAgain)
	if err == nil {
		one.Report, one.until = r, now.Add(max(reportLife, reportShare*took))
	}
}

// keptReport gives a report that is computed beside the page, and begins with
// that where nothing new enough is kept.
func (w *Web) keptReport(key string, compute func(ctx context.Context, told func(people int64)) (*live.Report, error)) keptReport {
	found, begin := w.answers.look(key, w.now())
	if !begin {
		return found
	}
	found.Running = true
	w.beside.run(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, reportBeside)
		defer cancel()
		var r *live.Report
		end, err := w.reports.take(ctx, reportBeside)
		begun := time.Now()
		if err == nil {
			r, err = compute(ctx, func(people int64) { w.answers.looked(key, people) })
			end()
		}
		if err != nil {
			w.log.Warn("a report was not computed", "report", key, "error", err)
		}
		w.answers.done(key, r, err, w.now(), time.Since(begun))
	})
	return found
}
