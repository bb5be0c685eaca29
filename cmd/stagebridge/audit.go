package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/store"
)

// auditCommand shows who changed what.
func auditCommand() command {
	c := command{name: "audit", operands: "[-n N] [-subject S] [-author A]", summary: "show who changed what, newest first, with what it was and is"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		f := store.AuditFilter{}
		_, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.IntVar(&f.Limit, "n", 50, "how many, at most 10000")
			set.StringVar(&f.Subject, "subject", "", "only this, for example connection:newsletter, plan or user:ann")
			set.StringVar(&f.Author, "author", "", "only what this one did")
		}, 0, 0)
		if err != nil {
			return err
		}
		if f.Limit < 1 || f.Limit > 10_000 {
			return &usageError{c, fmt.Errorf("-n is %d, want 1 to 10000", f.Limit)}
		}
		return p.withApp(ctx, func(a *app) error {
			all, err := a.store.AuditLog(ctx, f)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "AT\tWHO\tDID\tTO\tBEFORE\tAFTER")
			for _, e := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.At.Time().UTC().Format("2006-01-02 15:04:05"), e.Name, e.Action, e.Subject, dash(e.Before), dash(e.After))
			}
			return w.Flush()
		})
	}
	return c
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
