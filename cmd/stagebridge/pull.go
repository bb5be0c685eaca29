package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// pullCommand takes over the people whom a vendor holds.
func pullCommand() command {
	c := command{name: "pull", operands: "CONNECTION", summary: "take over everybody whom a connection's vendor holds; running it again brings nothing twice"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		operands, err := p.parse(c, args, nil, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.pull(ctx, a, operands[0]) })
	}
	return c
}

func (p *program) pull(ctx context.Context, a *app, id string) error {
	one, err := a.admin.Pull(ctx, id, cliAuthor)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return unknownConnection(a, id)
	case errors.Is(err, jobs.ErrCannot):
		return fmt.Errorf("the vendor of %s cannot list people", id)
	case err != nil:
		return err
	}
	one, err = a.works.Follow(ctx, one.ID, func(one store.Work) {
		fmt.Fprintf(p.stderr, "%d people listed\n", one.Done)
	})
	if err != nil {
		return fmt.Errorf("%w; run it again to go on", err)
	}
	if one.State != store.WorkDone {
		return fmt.Errorf("the pull %s after %d people: %s", one.State, one.Done, one.Error)
	}
	var r jobs.Pulled
	if err := json.Unmarshal([]byte(one.Result), &r); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d people listed, %d of them new or changed\n", r.People, r.New)
	return nil
}
