package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// Bounds of a page: what is measured is held against them.
const (
	PageTime       = 150 * time.Millisecond
	PageBytes      = 100_000
	PageStatements = 12
)

// ErrPages says that a page is over its bounds.
var ErrPages = errors.New("bench: pages: over their bounds")

// statementsKey is where the counter of a request's statements stands.
type statementsKey struct{}

// Asked fits store.Options.Asked: it counts what is asked under the context of
// a request that Pages makes.
func Asked(ctx context.Context, _ string) {
	if n, ok := ctx.Value(statementsKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}

// PagesOptions of Pages.
type PagesOptions struct {
	// Handler answers, on a store that was opened with Asked.
	Handler http.Handler
	// Routes are the pages there are, as registered; each is opened.
	Routes []string
	// Cookie is the session's that opens them.
	Cookie *http.Cookie
	Size   PagesSize
	Out    io.Writer
}

// opened is one answer.
type opened struct {
	status     int
	statements int64
	took       time.Duration
	body       []byte
	header     http.Header
}

// pageCost is what one address cost.
type pageCost struct {
	address    string
	statements int64
	bytes      int
	cold       time.Duration
	warm       []time.Duration
	status     int
	cpu        time.Duration // of this process, each time
	note       string
}

// warmRuns is how often a page is opened after the first time and one more.
const warmRuns = 5

// computing is in a page whose figures are computed beside it.
var computing = []byte(`data-computing`)

// computingMost is how long a page's figures may take.
const computingMost = 5 * time.Minute

// Pages opens every page and prints what each cost. The error is ErrPages when
// one is over its bounds.
func Pages(ctx context.Context, o PagesOptions) error {
	all, err := o.openAll(ctx)
	over := 0
	w := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "page\tstatements\tcold ms\tmedian ms\tworst ms\tCPU ms\tKB\t verdict\t")
	for _, c := range all {
		verdict := c.verdict()
		if verdict != "ok" {
			over++
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%.1f\t %s%s\t\n", cut(c.address, 80), c.statements, millis(c.cold), millis(middle(c.warm)),
			millis(slices.Max(c.warm)), millis(c.cpu), float64(c.bytes)/1000, verdict, c.note)
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "%d addresses of %d pages, %d over %d ms (median of %d after one), %d KB or %d statements\n",
		len(all), len(o.Routes), over, PageTime.Milliseconds(), warmRuns, PageBytes/1000, PageStatements)
	if over > 0 {
		return ErrPages
	}
	return nil
}

// openAll measures every address, and after an error gives what it has.
func (o *PagesOptions) openAll(ctx context.Context) ([]pageCost, error) {
	var all []pageCost
	for _, route := range o.Routes {
		if strings.HasSuffix(route, "/export") {
			continue // a file for which every raw event is searched
		}
		addresses := o.Size.addresses(route)
		if len(addresses) == 0 {
			return all, fmt.Errorf("bench: pages: %s has parameters that no address is known for", route)
		}
		for _, a := range addresses {
			for at := a.path; at != ""; {
				cost, next, err := o.measure(ctx, at, a)
				if err != nil {
					return all, err
				}
				all = append(all, cost)
				fmt.Fprintf(o.Out, "# %s: %d statements, %s ms, %.1f KB\n", at, cost.statements, millis(middle(cost.warm)), float64(cost.bytes)/1000)
				if at = ""; a.turn && next != "" {
					at, a.turn = next, false
				}
			}
		}
	}
	return all, nil
}

// verdict says what a page is over.
func (c *pageCost) verdict() string {
	var over []string
	if c.status != http.StatusOK {
		over = append(over, fmt.Sprint("status ", c.status))
	}
	if middle(c.warm) > PageTime {
		over = append(over, "time")
	}
	if c.bytes > PageBytes {
		over = append(over, "size")
	}
	if c.statements > PageStatements {
		over = append(over, "statements")
	}
	if len(over) > 0 {
		return "OVER: " + strings.Join(over, ", ")
	}
	return "ok"
}

// measure opens an address as often as it takes, and gives the address of the
// next part of its list.
func (o *PagesOptions) measure(ctx context.Context, at string, a address) (pageCost, string, error) {
	first := o.open(ctx, at)
	c := pageCost{address: at, cold: first.took, status: first.status, statements: first.statements, bytes: len(first.body)}
	if a.download {
		c.bytes, c.statements, c.warm = 0, 0, []time.Duration{0}
		c.note = fmt.Sprintf(" (a file of %.1f MB, sent while it is read; not held to the bounds)", float64(len(first.body))/1e6)
		return c, "", ctx.Err()
	}
	began, last := time.Now(), first
	for bytes.Contains(last.body, computing) {
		if time.Since(began) > computingMost {
			return c, "", fmt.Errorf("bench: pages: the figures of %s are not there after %s", at, computingMost)
		}
		select {
		case <-ctx.Done():
			return c, "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		last = o.open(ctx, at)
		c.note = fmt.Sprintf(" (computed beside the page in %s)", time.Since(began).Round(10*time.Millisecond))
	}
	before := cpuOf(os.Getpid())
	for range 1 + warmRuns {
		last = o.open(ctx, at)
		c.warm = append(c.warm, last.took)
		c.statements, c.bytes = max(c.statements, last.statements), max(c.bytes, len(last.body))
		if last.status != http.StatusOK {
			c.status = last.status
		}
	}
	c.cpu = (cpuOf(os.Getpid()) - before) / (1 + warmRuns)
	c.warm = c.warm[1:]
	return c, next(last.body), ctx.Err()
}

// open asks for a page as a browser does.
func (o *PagesOptions) open(ctx context.Context, address string) opened {
	var n atomic.Int64
	r, err := http.NewRequestWithContext(context.WithValue(ctx, statementsKey{}, &n), http.MethodGet, "http://127.0.0.1"+address, http.NoBody)
	if err != nil {
		return opened{status: http.StatusBadRequest, header: http.Header{}}
	}
	r.RequestURI, r.RemoteAddr = address, "127.0.0.1:1"
	r.Header.Set("Accept", "text/html")
	r.AddCookie(o.Cookie)
	a := answer{header: http.Header{}, status: http.StatusOK}
	began := time.Now()
	o.Handler.ServeHTTP(&a, r)
	return opened{status: a.status, statements: n.Load(), took: time.Since(began), body: a.body.Bytes(), header: a.header}
}

// answer keeps what a handler sends.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// next finds the address of the next part of a list.
func next(body []byte) string {
	found := regexp.MustCompile(`href="([^"]*[?;]next=[^"]*)"`).FindSubmatch(body)
	if found == nil {
		return ""
	}
	next, _, _ := strings.Cut(html.UnescapeString(string(found[1])), "#")
	return next
}

func middle(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/1e6) }

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
