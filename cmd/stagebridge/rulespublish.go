package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/store"
)

// rulesPublishCommand puts rules in force and, where asked for, has the raw
// events of the connection processed again under them.
func rulesPublishCommand() command {
	c := command{
		name:     "rules publish",
		operands: "[-replay all|STATUS] [-reason TEXT] CONNECTION FILE",
		summary:  "put the rules in a file in force for a connection, and process its raw events again under them in the same step",
	}
	c.run = func(ctx context.Context, p *program, args []string) error {
		replay, reason := "", ""
		operands, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.StringVar(&replay, "replay", "", "then process raw events again: all, or those that are "+strings.Join(replayable[:], ", "))
			set.StringVar(&reason, "reason", "", "kept with the version")
		}, 2, 2)
		if err != nil {
			return err
		}
		if replay != "" && replay != "all" && !slices.Contains(replayable[:], replay) {
			return &usageError{c, fmt.Errorf("-replay is %q, want all, %s", replay, strings.Join(replayable[:], ", "))}
		}
		source, err := readText(operands[1])
		if err != nil {
			return err
		}
		v := store.Versioned{Source: string(source), Author: cliAuthor, Note: reason}
		return p.withApp(ctx, func(a *app) error { return p.publishRules(ctx, a, operands[0], v, replay) })
	}
	return c
}

func (p *program) publishRules(ctx context.Context, a *app, id string, v store.Versioned, replay string) error {
	now, err := a.admin.Rules(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return unknownConnection(a, id)
	}
	if err != nil {
		return err
	}
	if replay == "" {
		version, err := a.admin.PublishRules(ctx, id, now.Version, v)
		if err == nil {
			_, err = fmt.Fprintf(p.stdout, "version %d is in force for %s\n", version, id)
		}
		return err
	}
	f := store.InboxFilter{Status: replay}
	if replay == "all" {
		f.Status = ""
	}
	done, err := a.admin.PublishRulesAndReplay(ctx, id, now.Version, v, f)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "version %d is in force for %s; %s to process again\n", done.Version, id, rawEvents(done.Count))
	return p.followReplay(ctx, a, done.Work.ID)
}
