package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// point is what a server looked like at one moment.
type point struct {
	at         time.Duration // since the load began
	sent       int           // events
	rss, heap  float64       // bytes; heap is what the last collection left
	files      float64
	goroutines float64
	pending    float64 // raw events that wait to be processed
}

// look reads what the system knows of a process, and what it says of itself.
func look(ctx context.Context, pid int, metrics string) (point, error) {
	var p point
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			p.rss = kib * 1024
		}
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return p, err
	}
	p.files = float64(len(files))
	values, err := scrape(ctx, metrics)
	if err != nil {
		return p, err
	}
	p.goroutines, p.pending = values["go_goroutines"], values["stagebridge_inbox_pending"]
	// The collector aims at what it left, and GOGC percent of it on top.
	p.heap = values["go_memstats_next_gc_bytes"] / (1 + values["go_gc_gogc_percent"]/100)
	return p, nil
}

// scrape reads metrics, those of one name summed.
func scrape(ctx context.Context, url string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	values := map[string]float64{}
	scan := bufio.NewScanner(res.Body)
	for scan.Scan() {
		line := scan.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		name, _, _ := strings.Cut(line[:at], "{")
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			values[name] += v
		}
	}
	return values, scan.Err()
}

// series is one thing that has to stay flat.
type series struct {
	name string
	of   func(*point) float64
	// unit divides what is shown.
	unit float64
	// share and more are what it may grow by, of where it began and beside.
	share, more float64
	// design says that the dedupe filter of SQLite, which grows on purpose with
	// the events stored, is part of it.
	design bool
}

func soakSeries() []series {
	return []series{
		{"resident memory, MB", func(p *point) float64 { return p.rss }, 1e6, 0.10, 16e6, true},
		{"heap after collection, MB", func(p *point) float64 { return p.heap }, 1e6, 0.10, 4e6, true},
		{"file descriptors", func(p *point) float64 { return p.files }, 1, 0, 10, false},
		{"goroutines", func(p *point) float64 { return p.goroutines }, 1, 0, 20, false},
	}
}

// verdict is what became of a series after the warm-up.
type verdict struct {
	from, growth, limit float64
	hourly              float64
}

func (v verdict) holds() bool { return v.growth <= v.limit }

// judge fits a line: its slope is the median of the slopes between all pairs of
// points, which single outliers do not move.
func judge(points []point, s series, design float64) verdict {
	n := len(points)
	if n < 2 {
		return verdict{}
	}
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := range points {
		for j := i + 1; j < n; j++ {
			if d := points[j].at - points[i].at; d > 0 {
				slopes = append(slopes, (s.of(&points[j])-s.of(&points[i]))/d.Seconds())
			}
		}
	}
	slope := median(slopes)
	starts := make([]float64, n)
	for i := range points {
		starts[i] = s.of(&points[i]) - slope*(points[i].at-points[0].at).Seconds()
	}
	v := verdict{from: median(starts), growth: slope * (points[n-1].at - points[0].at).Seconds(), hourly: slope * 3600}
	v.limit = s.share*v.from + s.more
	if s.design {
		v.limit += design
	}
	return v
}

// filterBytes is the size of the filter that SQLite's ingest keeps of so many
// events: ten bits each, in layers of which each is twice the one before.
func filterBytes(events int) float64 {
	bytes, room := 0.0, 0
	for size := 1 << 18; room < events && size < 1<<26; size *= 2 {
		bytes, room = bytes+float64(size)*10/8, room+size
	}
	return bytes
}

// shownPoints is how many lines the table has at most.
const shownPoints = 40

// report prints what was seen and judges it.
func (s *soak) report(o SoakOptions) error {
	w := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "after\tevents\tresident MB\theap MB\tfiles\tgoroutines\twaiting\t")
	step := max(1, len(s.points)/shownPoints)
	for i := 0; i < len(s.points); i += step {
		p := &s.points[i]
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t\n", p.at.Round(time.Second), p.sent-s.before, p.rss/1e6, p.heap/1e6, p.files, p.goroutines, p.pending)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	sent := s.load.sent() - s.before
	fmt.Fprintf(o.Out, "%d events in %s, %.0f/s of %.0f/s asked for; all answered; the last stage of all %d people arrived, the last within %s of the end\n",
		sent, s.took.Round(time.Second), float64(sent)/s.took.Seconds(), o.Rate, s.told.arrived(), s.rested.Round(time.Millisecond))
	return s.verdicts(o)
}

// verdicts leaves out the first sixth, in which caches fill.
func (s *soak) verdicts(o SoakOptions) error {
	warm := slices.IndexFunc(s.points, func(p point) bool { return p.at >= o.For/6 })
	if warm < 0 || len(s.points)-warm < 10 {
		return fmt.Errorf("%w: %d looks at the server are too few to tell; let it run longer", ErrGrows, len(s.points))
	}
	points := s.points[warm:]
	design := 0.0
	if s.sqlite {
		design = filterBytes(s.load.sent()) - filterBytes(points[0].sent)
		fmt.Fprintf(o.Out, "SQLite's dedupe filter grew by %.1f MB meanwhile, as it is meant to\n", design/1e6)
	}
	w := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "after the first %s\tat first\tgrew by\tan hour\tmay\t\t\n", points[0].at.Round(time.Second))
	var grown []string
	for _, one := range soakSeries() {
		v := judge(points, one, design)
		word := "flat"
		if !v.holds() {
			word, grown = "GROWS", append(grown, one.name)
		}
		fmt.Fprintf(w, "%s\t%.1f\t%+.1f\t%+.1f\t%.1f\t%s\t\n", one.name, v.from/one.unit, v.growth/one.unit, v.hourly/one.unit, v.limit/one.unit, word)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(grown) > 0 {
		return fmt.Errorf("%w: it grows: %s", ErrGrows, strings.Join(grown, "; "))
	}
	return nil
}
