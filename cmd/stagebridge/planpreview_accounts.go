package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/jobs"
)

// tellAccountsPreview prints what would become of accounts; nothing where no
// plan is about them.
func tellAccountsPreview(out io.Writer, p *jobs.AccountsPreview) error {
	if p == nil {
		return nil
	}
	if !p.Whole {
		_, err := fmt.Fprintln(out, "\nwhat would become of accounts is not foretold: there are too many, or not all people were looked at")
		return err
	}
	fmt.Fprintf(out, "\n%d of %d accounts would change\n", p.Changed, p.Accounts)
	if p.Unsettled > 0 {
		fmt.Fprintf(out, "%d of them stay where they are until the rollout is over, since their people would be under two plans\n", p.Unsettled)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FROM\tTO\tACCOUNTS\tFOR EXAMPLE")
	for _, f := range p.Flows {
		if f.From == f.To {
			fmt.Fprintf(w, "%s\tstays\t%d\t\n", stageName(f.From), f.Accounts)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", stageName(f.From), stageName(f.To), f.Accounts, strings.Join(f.Sample, " "))
	}
	for _, s := range p.Segments {
		fmt.Fprintf(w, "%s\t%d enter\t%d leave\t\n", s.Segment, s.Gained, s.Lost)
	}
	for _, x := range p.Pushes {
		fmt.Fprintf(w, "%s\t%d accounts to push\t\t\n", x.Connection, x.People)
	}
	return w.Flush()
}
