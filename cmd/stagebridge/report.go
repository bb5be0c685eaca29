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
			for _, x := range live.OptionInfos() {
				given[x.Name] = f.String(x.Name, "", x.Help)
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
