package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// reportOptions are the flags of report.
type reportOptions struct {
	format, from, to, zone, unit, kind, events, segment string
	window                                              int
	live                                                live.Options
}

// reportCommand computes a report from all that is stored.
func reportCommand() command {
	names := make([]string, 0, 8)
	for _, r := range live.Reports() {
		names = append(names, r.Name)
	}
	c := command{name: "report", operands: "[flags] [NAME]", summary: "compute a report from all that is stored: " + strings.Join(names, ", ")}
	c.run = func(ctx context.Context, p *program, args []string) error {
		var o reportOptions
		operands, err := p.parse(c, args, o.flags, 0, 1)
		if err != nil {
			return err
		}
		if len(operands) == 0 {
			return listReports(p.stdout)
		}
		if err := o.fill(); err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.report(ctx, a, operands[0], &o) })
	}
	return c
}

func (o *reportOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.format, "format", "table", "table, csv or json")
	f.StringVar(&o.from, "from", "", "first day of the events looked at, 2026-01-31")
	f.StringVar(&o.to, "to", "", "the day behind the last one")
	f.StringVar(&o.zone, "zone", "UTC", "time zone of days, weeks and months")
	f.StringVar(&o.unit, "unit", "month", "length of a cohort's periods: day, week or month")
	f.StringVar(&o.kind, "kind", "bounded", "bounded counts who was there in a period, rolling who was then or later")
	f.StringVar(&o.events, "events", string(live.DefaultPurchase), "events that count as purchases or as being back, with commas")
	f.StringVar(&o.segment, "segment", "", "only people who are in it now")
	f.StringVar(&o.live.Connection, "connection", "", "only events that it told of")
	f.StringVar(&o.live.Currency, "currency", "", "of amounts; the one with the most purchases when empty")
	f.IntVar(&o.window, "window", 0, "days after somebody's entry in which moves count in the funnel; 0: without end")
	f.IntVar(&o.live.Horizon, "weeks", 52, "how far ahead the report clv looks")
}

// fill reads the flags' texts.
func (o *reportOptions) fill() error {
	if o.format != "table" && o.format != "csv" && o.format != "json" {
		return fmt.Errorf("-format: is %q, want table, csv or json", o.format)
	}
	zone, err := time.LoadLocation(o.zone)
	if err != nil {
		return fmt.Errorf("-zone: %w", err)
	}
	o.live.Zone = zone
	for name, day := range map[string]struct {
		text string
		into *lifecycle.Instant
	}{"from": {o.from, &o.live.From}, "to": {o.to, &o.live.To}} {
		if day.text == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, day.text, zone)
		if err != nil {
			return fmt.Errorf("-%s: is %q, want a day such as 2026-01-31", name, day.text)
		}
		*day.into = lifecycle.At(at)
	}
	if o.live.Unit, err = stats.ParseUnit(o.unit); err != nil {
		return fmt.Errorf("-unit: %w", err)
	}
	if o.live.Kind = stats.RetentionKind(o.kind); o.live.Kind != stats.Bounded && o.live.Kind != stats.Rolling {
		return fmt.Errorf("-kind: is %q, want bounded or rolling", o.kind)
	}
	if o.window < 0 || o.live.Horizon < 1 || o.live.Horizon > 520 {
		return fmt.Errorf("-window must not be negative, and -weeks be from 1 to 520")
	}
	for name := range strings.SplitSeq(o.events, ",") {
		o.live.Events = append(o.live.Events, lifecycle.EventName(strings.TrimSpace(name)))
	}
	o.live.Segment, o.live.Window = lifecycle.Segment(o.segment), time.Duration(o.window)*24*time.Hour
	return nil
}

func listReports(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range live.Reports() {
		fmt.Fprintf(w, "%s\t%s\n", r.Name, r.Summary)
	}
	return w.Flush()
}

func (p *program) report(ctx context.Context, a *app, name string, o *reportOptions) error {
	now, err := a.store.ServerTime(ctx)
	if err != nil {
		return err
	}
	o.live.Now = now
	told := time.Now()
	o.live.Progress = func(people int64) {
		if time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(p.stderr, "%d people\n", people)
		}
	}
	r, err := live.Run(ctx, a.store, a.registry.Config().Plan, name, o.live)
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "csv":
		return writeCSV(p.stdout, r)
	}
	return writeTables(p.stdout, r)
}

func writeTables(out io.Writer, r *live.Report) error {
	fmt.Fprintf(out, "%s, %d people\n%s\n", r.Name, r.People, r.Definition)
	for _, t := range r.Tables {
		fmt.Fprintf(out, "\n%s\n", t.Title)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, strings.Join(t.Columns, "\t"))
		for _, row := range t.Rows {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(out)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", n)
	}
	return nil
}

// writeCSV writes the tables one below the other, parted by an empty line.
func writeCSV(out io.Writer, r *live.Report) error {
	for i, t := range r.Tables {
		if i > 0 {
			fmt.Fprintln(out)
		}
		w := csv.NewWriter(out)
		for _, row := range append([][]string{t.Columns}, t.Rows...) {
			cells := make([]string, len(row))
			for j, cell := range row {
				cells[j] = inert(cell)
			}
			if err := w.Write(cells); err != nil {
				return err
			}
		}
		w.Flush()
		if err := w.Error(); err != nil {
			return err
		}
	}
	return nil
}

// inert keeps a spreadsheet from taking a text, such as a stage's name, for a
// formula.
func inert(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
