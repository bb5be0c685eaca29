package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"

	"github.com/stagebridge/stagebridge/store"
)

// rulesRollbackCommand goes back to an earlier version of a connection's rules.
func rulesRollbackCommand() command {
	c := command{
		name:     "rules rollback",
		operands: "[-reason TEXT] CONNECTION [VERSION]",
		summary:  "go back to the rules before, or to an earlier version; 0 is the connector's own",
	}
	c.run = func(ctx context.Context, p *program, args []string) error {
		reason := ""
		operands, err := p.parse(c, args, func(set *flag.FlagSet) { set.StringVar(&reason, "reason", "", "kept with the version") }, 1, 2)
		if err != nil {
			return err
		}
		to := int64(-1)
		if len(operands) == 2 {
			if to, err = strconv.ParseInt(operands[1], 10, 64); err != nil || to < 0 {
				return &usageError{c, fmt.Errorf("%q is no version", operands[1])}
			}
		}
		return p.withApp(ctx, func(a *app) error { return p.rollBackRules(ctx, a, operands[0], to, reason) })
	}
	return c
}

// rollBackRules goes back to a version; a negative one is that before the one in
// force.
func (p *program) rollBackRules(ctx context.Context, a *app, id string, to int64, reason string) error {
	if _, err := a.registry.Find(ctx, id); errors.Is(err, store.ErrNotFound) {
		return unknownConnection(a, id)
	}
	if to < 0 {
		var err error
		if to, err = a.admin.PreviousRules(ctx, id); errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("the rules of %s are the connector's own, there are none before them", id)
		} else if err != nil {
			return err
		}
	}
	version, err := a.admin.RollbackRules(ctx, id, to, cliAuthor, reason)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no version %d; 'stagebridge rules versions %s' lists them", to, id)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "back to version %d, as version %d, in force for %s; 'stagebridge replay -connection %s' processes stored events again under it\n", to, version, id, id)
	return err
}
