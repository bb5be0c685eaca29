package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/reports/live"
)

// reportFlags are the flags of report, which say what is looked at.
var reportFlags = []struct{ name, help string }{
	{"from", "first day of the events looked at, 2026-01-31"},
	{"to", "the day behind the last one"},
	{"zone", "time zone of days, weeks and months (default UTC)"},
	{"unit", "length of a cohort's periods: day, week or month (default month)"},
	{"kind", "bounded counts who was there in a period, rolling who was then or later (default bounded)"},
	{"events", "events that count as purchases or as being back, with commas (default " + string(live.DefaultPurchase) + ")"},
	{"segment", "only people who are in it now"},
	{"account", "only people of one account, by its key, such as domain:example.com"},
	{"connection", "only events that it told of"},
	{"plan", "only people whom this version of the plan placed last"},
	{"person", "only one person, by id"},
	{"currency", "of amounts; the one with the most purchases when empty"},
	{"window", "days after somebody's entry in which moves count in the funnel (default: without end)"},
	{"weeks", "how far ahead the report clv looks (default 52)"},
	{"rates", "rates that turn amounts into the currency, USD=0.92,GBP=1.17; without them currencies stay apart"},
	{"counting", "reached counts skipped stages as passed in the funnel, entered does not (default reached)"},
	{"won", "events that end a sale or are credited to touches, with commas (default: see docs/reports.md)"},
	{"touches", "events that count as touches, with commas (default Campaign:Touched)"},
	{"by", "what names a touch: source, medium, campaign, content, connection or event (default source)"},
	{"start", "where a sales cycle begins: opportunity, lead or first_touch (default opportunity)"},
	{"basis", "what makes a customer: subscription, purchase or stage (default subscription where there is any)"},
	{"stages", "stages whose people are customers, with commas, for the basis stage"},
	{"stage", "the stage that a move leads to (default: each of the path)"},
	{"group", "who is compared with the rest: top or won (default top)"},
	{"lookback", "days before a conversion or a move in which something counts"},
	{"halflife", "days in which a touch loses half its weight (default 7)"},
	{"score", "lead score from which on somebody is a lead (default: whoever was captured as one)"},
	{"hours", "business hours from Monday to Friday that waits are counted in, 9-17 (default: all)"},
	{"spend", "what winning customers cost in the period, 12000.50"},
	{"margin", "share of the revenue that is left after direct costs, 0.8 (default 1)"},
	{"discount", "yearly discount of money, 0.1 (default 0)"},
}

// reportCommand computes a report from all that is stored.
func reportCommand() command {
	names := make([]string, 0, 8)
	for _, r := range live.Reports() {
		names = append(names, r.Name)
	}
	c := command{name: "report", operands: "[flags] [NAME]", summary: "compute a report from all that is stored: " + strings.Join(names, ", "),
		words: func() []string { return names }}
	c.run = func(ctx context.Context, p *program, args []string) error {
		format, given := "", map[string]*string{}
		operands, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&format, "format", "table", "table, csv or json")
			for _, x := range reportFlags {
				given[x.name] = f.String(x.name, "", x.help)
			}
		}, 0, 1)
		if err != nil {
			return err
		}
		if len(operands) == 0 {
			return listReports(p.stdout)
		}
		if format != "table" && format != "csv" && format != "json" {
			return fmt.Errorf("-format: is %q, want table, csv or json", format)
		}
		o, err := live.ParseOptions(func(name string) string { return *given[name] })
		if err != nil {
			return fmt.Errorf("-%w", err)
		}
		return p.withApp(ctx, func(a *app) error { return p.report(ctx, a, operands[0], format, o) })
	}
	return c
}

func listReports(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range live.Reports() {
		fmt.Fprintf(w, "%s\t%s\n", r.Name, r.Summary)
	}
	return w.Flush()
}

func (p *program) report(ctx context.Context, a *app, name, format string, o live.Options) error {
	if err := p.summarise(ctx, a); err != nil {
		return err
	}
	now, err := a.store.ServerTime(ctx)
	if err != nil {
		return err
	}
	cfg := a.registry.Config()
	o.Now, o.PlanOf = now, cfg.PlanOf
	told := time.Now()
	o.Progress = func(people int64) {
		if time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(p.stderr, "%d people\n", people)
		}
	}
	r, err := live.Run(ctx, a.store, cfg.Plan, name, o)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "csv":
		return r.WriteCSV(p.stdout)
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
