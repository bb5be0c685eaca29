package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/plandocs"
)

// planDocsCommand writes a plan as a page for people who read no YAML.
func planDocsCommand() command {
	c := command{
		name:     "plan docs",
		operands: "[-format markdown|html] [-o PAGE] [FILE]",
		summary:  "write a plan as a page that needs no YAML to be read; the plan in force without a file",
	}
	c.run = func(ctx context.Context, p *program, args []string) error {
		format, target := "", ""
		files, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&format, "format", "markdown", strings.Join(jobs.PlanFormats(), " or "))
			f.StringVar(&target, "o", "", "the file to write; without it the page is printed")
		}, 0, 1)
		if err != nil {
			return err
		}
		if !slices.Contains(jobs.PlanFormats(), format) {
			return &usageError{c, fmt.Errorf("-format is %q, want %s", format, strings.Join(jobs.PlanFormats(), " or "))}
		}
		if len(files) == 1 {
			return p.docsOfFile(files[0], format, target)
		}
		return p.withApp(ctx, func(a *app) error {
			out, end, err := createOrStdout(p, target)
			if err != nil {
				return err
			}
			return errors.Join(a.admin.WritePlanDocs(ctx, out, format), end())
		})
	}
	return c
}

// docsOfFile writes the page of a plan in a file, with the senders of the
// workspace that it stands in.
func (p *program) docsOfFile(file, format, target string) error {
	source, err := readText(file)
	if err != nil {
		return err
	}
	plan, err := parsePlan(file, source)
	if err != nil {
		return err
	}
	beside, err := connectionsBeside(file)
	if err != nil {
		return err
	}
	var senders []plandocs.Sender
	for _, c := range beside {
		senders = append(senders, jobs.Senders(c.id, c.rules)...)
	}
	out, end, err := createOrStdout(p, target)
	if err != nil {
		return err
	}
	return errors.Join(jobs.WritePlanDocs(out, format, plan, senders), end())
}
