// Package apply brings a workspace folder's connections, rules and tracking
// plan into force.
//
// It compares three ways: what the folder says, what was applied from it last,
// and what is in force. What only the folder changed is written; what only a
// person changed in the pages is kept and reported; what both changed is
// refused, unless the folder is said to win. Nothing is deleted unasked.
package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/workspace"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Author is who changes of a workspace are by.
const Author = "workspace"

// Applier compares and applies. It is used by one goroutine.
type Applier struct {
	Store    *store.Store
	Registry *jobs.Registry
	Admin    *jobs.Admin
	// Vault seals what is remembered of credentials.
	Vault *secret.Vault
}

// Options of a run.
type Options struct {
	// Force lets the folder win where somebody changed something in the pages.
	Force bool
	// Prune removes what was applied once and is in the folder no more.
	Prune bool
	// Reason is kept with the versions of plan and rules that it publishes; empty
	// for one that says where they come from.
	Reason string
}

func (o *Options) reason() string { return cmp.Or(o.Reason, "applied from the workspace") }

// Action is what a change does.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	// Note only remembers a text that already says what is in force.
	Note Action = "note"
	// Drift was changed in the pages only and is kept.
	Drift Action = "drift"
	// Left was applied once, is in the folder no more, and is kept.
	Left Action = "left"
	// Conflict was changed in both and stands in the way of the whole run.
	Conflict Action = "conflict"
)

// Kinds of things.
const (
	KindPlan       = "plan"
	KindConnection = "connection"
	KindRules      = "rules"
)

// Change is one difference between folder and database.
type Change struct {
	Kind   string
	ID     string // the connection's; empty for the plan
	Action Action
	// File is where the folder says it; of what is not there, where it would.
	File string
	// Details are lines for people: fields, or lines with - and + before them.
	Details []string

	do func(context.Context) error
	// check finds out whether do would be refused.
	check func(context.Context) error
}

// Writes reports whether the change alters what is in force.
func (c *Change) Writes() bool {
	return c.Action == Create || c.Action == Update || c.Action == Delete
}

// Diff gives what Apply would do, the plan first, then connections with their
// rules by id. Nothing is written.
func (a *Applier) Diff(ctx context.Context, w *workspace.Workspace, o Options) ([]Change, error) {
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	past, err := a.past(ctx)
	if err != nil {
		return nil, err
	}
	d := &differ{a: a, w: w, o: o, past: past}
	if err := d.plan(ctx); err != nil {
		return nil, err
	}
	for _, id := range d.ids() {
		if err := d.connection(id); err != nil {
			return nil, err
		}
	}
	return d.changes, nil
}

// Apply brings the folder into force, while no other process does. Where there
// is a conflict, or something would be refused, nothing is changed, and the
// error has a line for each.
func (a *Applier) Apply(ctx context.Context, w *workspace.Workspace, o Options) ([]Change, error) {
	var changes []Change
	err := a.Store.Exclusive(ctx, "apply", func(ctx context.Context) error {
		var err error
		if changes, err = a.Diff(ctx, w, o); err != nil {
			return err
		}
		if err := refusals(ctx, changes); err != nil {
			return err
		}
		for _, c := range changes {
			if c.do == nil {
				continue
			}
			if err := c.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.File, err)
			}
		}
		return nil
	})
	return changes, err
}

// refusals lists everything that stands in the way.
func refusals(ctx context.Context, changes []Change) error {
	var all []error
	for _, c := range changes {
		if c.Action == Conflict {
			all = append(all, document.Error{File: c.File, Message: c.Details[0] + "; -force lets the file win, 'stagebridge export' writes what is in force"})
		}
		if c.check == nil {
			continue
		}
		err := c.check(ctx)
		var wrong *jobs.Invalid
		switch {
		case errors.As(err, &wrong):
			for _, m := range wrong.Mistakes {
				all = append(all, document.Error{File: c.File, Message: m.Error()})
			}
		case err != nil:
			return err
		}
	}
	return errors.Join(all...)
}

// Title names the thing for people.
func (c *Change) Title() string {
	return strings.TrimSpace(c.Kind + " " + c.ID)
}
