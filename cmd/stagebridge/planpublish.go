package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// planPublishCommand puts a plan in force for everybody or for a share.
func planPublishCommand() command {
	c := command{name: "plan publish", operands: "[-percent N] [-reason TEXT] FILE", summary: "put a tracking plan in force, for everybody or for a share of all people, and bring them there"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		percent, reason := 100.0, ""
		files, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.Float64Var(&percent, "percent", percent, "of all people; the others stay under the version before")
			set.StringVar(&reason, "reason", "", "kept with the version")
		}, 1, 1)
		if err != nil {
			return err
		}
		share, err := shareOf(percent)
		if err != nil {
			return &usageError{c, err}
		}
		source, err := readText(files[0])
		if err != nil {
			return err
		}
		if _, err := parsePlan(files[0], source); err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			now, err := a.admin.Plan(ctx)
			if err != nil {
				return err
			}
			version, one, err := a.admin.RollOutPlan(ctx, now.Version, store.Versioned{Source: string(source), Author: cliAuthor, Note: reason}, share)
			if errors.Is(err, store.ErrRollout) {
				return fmt.Errorf("%w; 'stagebridge plan rollout' shows it, finishes or withdraws it", err)
			}
			if err != nil {
				return err
			}
			return p.followPlan(ctx, a, fmt.Sprintf("version %d", version), &one)
		})
	}
	return c
}

// shareOf reads a percentage as a share of people.
func shareOf(percent float64) (int64, error) {
	if !(percent >= 0.01 && percent <= 100) {
		return 0, fmt.Errorf("-percent is %v, want 0.01 to 100", percent)
	}
	return int64(math.Round(percent * store.WholeShare / 100)), nil
}

// followPlan waits until people are where a change of the plan puts them.
func (p *program) followPlan(ctx context.Context, a *app, what string, one *store.Work) error {
	over, err := p.follow(ctx, a, one.ID)
	if err != nil {
		return err
	}
	var done jobs.Published
	if err := json.Unmarshal([]byte(over.Result), &done); err != nil {
		return fmt.Errorf("job %d: %w", over.ID, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %s; %d people are there (job %d, by %d a second)\n", what, assignedWords(done.To), done.People, over.ID, int64(done.Rate))
	return err
}

// assignedWords says who is under which version.
func assignedWords(to store.Assigned) string {
	if to.Next == 0 {
		return fmt.Sprintf("everybody is under version %d", to.Base)
	}
	return fmt.Sprintf("%v %% of the people are under version %d, the others under %d", float64(to.Share)*100/store.WholeShare, to.Next, to.Base)
}

// planRolloutCommand shows, widens, finishes or withdraws a rollout.
func planRolloutCommand() command {
	c := command{name: "plan rollout", operands: "[-percent N | -withdraw] [-reason TEXT]", summary: "show the plan that a share of the people is under; widen it, finish it (100) or withdraw it"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		percent, withdraw, reason := 0.0, false, ""
		if _, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.Float64Var(&percent, "percent", percent, "of all people from now on; 100 finishes it")
			set.BoolVar(&withdraw, "withdraw", false, "put everybody back under the version before")
			set.StringVar(&reason, "reason", "", "kept with the job")
		}, 0, 0); err != nil {
			return err
		}
		share := int64(0)
		if percent != 0 {
			var err error
			if share, err = shareOf(percent); err != nil {
				return &usageError{c, err}
			}
		}
		if withdraw && share != 0 {
			return &usageError{c, errors.New("wants -percent or -withdraw, not both")}
		}
		return p.withApp(ctx, func(a *app) error {
			var one store.Work
			var err error
			switch {
			case withdraw:
				one, err = a.admin.WithdrawRollout(ctx, cliAuthor, reason)
			case share != 0:
				one, err = a.admin.ShareRollout(ctx, share, cliAuthor, reason)
			default:
				now, err := a.store.Assignment(ctx)
				if err == nil {
					_, err = fmt.Fprintln(p.stdout, assignedWords(now.Assigned))
				}
				return err
			}
			if errors.Is(err, jobs.ErrNoRollout) {
				return errors.New("no plan is being rolled out")
			}
			if err != nil {
				return err
			}
			return p.followPlan(ctx, a, "rollout", &one)
		})
	}
	return c
}

// planRollbackCommand goes back to an earlier version.
func planRollbackCommand() command {
	c := command{name: "plan rollback", operands: "[-reason TEXT] [VERSION]", summary: "go back to the plan before, or to an earlier version; withdraws what is being rolled out"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		reason := ""
		versions, err := p.parse(c, args, func(set *flag.FlagSet) { set.StringVar(&reason, "reason", "", "kept with the version") }, 0, 1)
		if err != nil {
			return err
		}
		to := int64(-1)
		if len(versions) == 1 {
			if to, err = strconv.ParseInt(versions[0], 10, 64); err != nil || to < 0 {
				return &usageError{c, fmt.Errorf("%q is no version", versions[0])}
			}
		}
		return p.withApp(ctx, func(a *app) error {
			var err error
			if to < 0 {
				if to, err = a.admin.Previous(ctx); err != nil {
					return err
				}
			}
			version, one, err := a.admin.RollBack(ctx, to, cliAuthor, reason)
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("there is no version %d; 'stagebridge plan versions' lists them", to)
			}
			if err != nil {
				return err
			}
			return p.followPlan(ctx, a, fmt.Sprintf("back to version %d, as version %d", to, version), &one)
		})
	}
	return c
}
