package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/store"
)

// planVersionsCommand lists what was published.
func planVersionsCommand() command {
	c := command{name: "plan versions", summary: "list the published tracking plans with author and reason"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		if _, err := p.parse(c, args, nil, 0, 0); err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			all, err := a.admin.PlanVersions(ctx)
			if err != nil {
				return err
			}
			return tellVersions(p.stdout, all, func(v store.Versioned) string { return string(a.registry.Config().PlanState(v)) })
		})
	}
	return c
}

// rulesVersionsCommand lists what was published for a connection.
func rulesVersionsCommand() command {
	c := command{name: "rules versions", operands: "CONNECTION", summary: "list the published rules of a connection with author and reason"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		ids, err := p.parse(c, args, nil, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			all, err := a.admin.RulesVersions(ctx, ids[0])
			if errors.Is(err, store.ErrNotFound) {
				return unknownConnection(a, ids[0])
			}
			if err != nil {
				return err
			}
			now, err := a.admin.Rules(ctx, ids[0])
			if err != nil {
				return err
			}
			return tellVersions(p.stdout, all, func(v store.Versioned) string {
				if v.Version == now.Version {
					return string(jobs.InForce)
				}
				return ""
			})
		})
	}
	return c
}

func tellVersions(out io.Writer, all []store.Versioned, state func(store.Versioned) string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tPUBLISHED\tBY\tSTATE\tREASON")
	for _, v := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", v.Version, when(v.Created), v.Author, state(v), oneLine(v.Note))
	}
	return w.Flush()
}

// planDiffCommand compares plans.
func planDiffCommand() command {
	c := command{name: "plan diff", operands: "FILE | VERSION [VERSION]", summary: "say what differs between the plan in force and a file or version, or between two versions"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		operands, err := p.parse(c, args, nil, 1, 2)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			now, err := a.admin.Plan(ctx)
			if err != nil {
				return err
			}
			return p.tellDiffOf(operands, now.Version, func(from, to int64) (jobs.TextDiff, error) { return a.admin.DiffPlan(ctx, from, to) },
				func(from int64, text string) (jobs.TextDiff, error) { return a.admin.DiffPlanText(ctx, from, text) })
		})
	}
	return c
}

// rulesDiffCommand compares the rules of a connection.
func rulesDiffCommand() command {
	c := command{name: "rules diff", operands: "CONNECTION FILE | CONNECTION VERSION [VERSION]", summary: "say what differs between the rules in force and a file or version, or between two versions; 0 is the connector's own"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		operands, err := p.parse(c, args, nil, 2, 3)
		if err != nil {
			return err
		}
		id, operands := operands[0], operands[1:]
		return p.withApp(ctx, func(a *app) error {
			now, err := a.admin.Rules(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				return unknownConnection(a, id)
			}
			if err != nil {
				return err
			}
			return p.tellDiffOf(operands, now.Version, func(from, to int64) (jobs.TextDiff, error) { return a.admin.DiffRules(ctx, id, from, to) },
				func(from int64, text string) (jobs.TextDiff, error) {
					return a.admin.DiffRulesText(ctx, id, from, text)
				})
		})
	}
	return c
}

// tellDiffOf compares what the operands name: two versions, or one with what
// is in force, or a file with that.
func (p *program) tellDiffOf(operands []string, inForce int64, versions func(from, to int64) (jobs.TextDiff, error), text func(from int64, text string) (jobs.TextDiff, error)) error {
	first, err := strconv.ParseInt(operands[0], 10, 64)
	var d jobs.TextDiff
	switch {
	case err != nil && len(operands) == 2:
		return fmt.Errorf("%q is no version", operands[0])
	case err != nil:
		source, rerr := readText(operands[0])
		if rerr != nil {
			return rerr
		}
		d, err = text(inForce, string(source))
	case len(operands) == 1:
		d, err = versions(first, inForce)
	default:
		second, perr := strconv.ParseInt(operands[1], 10, 64)
		if perr != nil {
			return fmt.Errorf("%q is no version", operands[1])
		}
		d, err = versions(first, second)
	}
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("there is no such version; 'stagebridge plan versions' and 'rules versions' list them")
	}
	if err != nil {
		return err
	}
	return tellDiff(p.stdout, d)
}

// tellDiff prints what differs in meaning, and then the lines.
func tellDiff(out io.Writer, d jobs.TextDiff) error {
	if len(d.Lines) == 0 {
		_, err := fmt.Fprintln(out, "nothing differs")
		return err
	}
	if len(d.Changes) == 0 {
		fmt.Fprintln(out, "the meaning is the same")
	}
	for _, x := range d.Changes {
		path := strings.Join(x.Path, " / ")
		switch x.Change {
		case document.Added:
			fmt.Fprintf(out, "added    %s: %s\n", path, x.Is)
		case document.Removed:
			fmt.Fprintf(out, "removed  %s: %s\n", path, x.Was)
		default:
			fmt.Fprintf(out, "%-8s %s: %s\n      now %s\n", x.Change, path, x.Was, x.Is)
		}
	}
	_, err := fmt.Fprintf(out, "\n%s\n", strings.Join(d.Lines, "\n"))
	return err
}
