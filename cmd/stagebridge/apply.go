package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/apply"
	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/workspace"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/mapping"
)

// applyCommand brings a folder of workspace files into force.
func applyCommand() command {
	c := command{name: "apply", operands: "[-force] [-prune] [-reason TEXT] DIR", summary: "bring a workspace folder (connections, rules, plan) into force"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		var o apply.Options
		folders, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&o.Force, "force", false, "let the folder win where something was changed in the pages")
			f.BoolVar(&o.Prune, "prune", false, "delete what was applied once and is in the folder no more")
			f.StringVar(&o.Reason, "reason", "", "kept with the versions of plan and rules that it publishes")
		}, 1, 1)
		if err != nil {
			return err
		}
		w, err := p.loadWorkspace(folders[0])
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			changes, err := a.applier().Apply(ctx, w, o)
			if err != nil {
				return err
			}
			return tellChanges(p.stdout, changes, false)
		})
	}
	return c
}

// diffCommand shows what apply would do.
func diffCommand() command {
	c := command{name: "diff", operands: "[-force] [-prune] DIR", summary: "show what apply would change; exits with 1 when that is anything"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		var o apply.Options
		folders, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&o.Force, "force", false, "as apply -force would")
			f.BoolVar(&o.Prune, "prune", false, "as apply -prune would")
		}, 1, 1)
		if err != nil {
			return err
		}
		w, err := p.loadWorkspace(folders[0])
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			changes, err := a.applier().Diff(ctx, w, o)
			if err != nil {
				return err
			}
			if err := tellChanges(p.stdout, changes, true); err != nil {
				return err
			}
			for _, change := range changes {
				if change.Action != apply.Note {
					return errReported
				}
			}
			return nil
		})
	}
	return c
}

// withApp opens the database that the settings name for one command, which
// needs no server beside it and none to be stopped.
func (p *program) withApp(ctx context.Context, fn func(*app) error) error {
	config, _, err := loadConfig(p.env)
	if err != nil {
		return err
	}
	// What a command does it prints; the log is for what goes wrong.
	config.LogLevel = max(config.LogLevel, slog.LevelWarn)
	a, err := openApp(ctx, config, logTo(config, p.stderr))
	if err != nil {
		return err
	}
	a.works.Elsewhere = a.store.Served
	return errors.Join(fn(a), a.close())
}

func (a *app) applier() *apply.Applier {
	return &apply.Applier{Store: a.store, Registry: a.registry, Admin: a.admin, Vault: a.vault}
}

// loadWorkspace reads a folder of workspace files, ${NAME} from the program's
// environment.
func (p *program) loadWorkspace(folder string) (*workspace.Workspace, error) {
	return workspace.Load(os.DirFS(folder), workspace.Options{
		Root:      folder,
		Lookup:    func(name string) (string, bool) { v, ok := p.env[name]; return v, ok },
		Vendors:   catalog.All(),
		ParsePlan: parsePlan,
		CheckRules: func(file string, source []byte, c workspace.Connection) error {
			_, err := mapping.Compile(file, source, mapping.Options{
				Connection: c.ID, Connector: c.Connector, IdentityScope: c.Settings["identity_scope"], Stages: c.Push.Stages,
			})
			return err
		},
	})
}

// applyWorkspace applies the folder WORKSPACE, when there is one. Several
// replicas that start at once do so one after the other.
func (a *app) applyWorkspace(ctx context.Context, p *program) error {
	if a.config.Workspace == "" {
		return nil
	}
	w, err := p.loadWorkspace(a.config.Workspace)
	if err != nil {
		return fmt.Errorf("%sWORKSPACE:\n%w", prefix, err)
	}
	changes, err := a.applier().Apply(ctx, w, apply.Options{})
	if err != nil {
		return fmt.Errorf("%sWORKSPACE:\n%w", prefix, err)
	}
	for _, c := range changes {
		switch {
		case c.Writes():
			a.log.Info("workspace applied", "file", c.File, "action", string(c.Action))
		case c.Action == apply.Drift, c.Action == apply.Left:
			a.log.Warn("workspace differs and is kept as it is", "file", c.File, "why", c.Details[0])
		}
	}
	return nil
}

// tellChanges prints a line per change and how many there were; would is for
// changes that were only looked for.
func tellChanges(out io.Writer, changes []apply.Change, would bool) error {
	words := map[apply.Action][2]string{
		apply.Create: {"created", "would be created"}, apply.Update: {"updated", "would be updated"}, apply.Delete: {"deleted", "would be deleted"},
		apply.Drift: {"kept", "kept"}, apply.Left: {"kept", "kept"}, apply.Conflict: {"refused", "would be refused"},
	}
	written, kept := 0, 0
	for _, c := range changes {
		word, ok := words[c.Action]
		if !ok {
			continue
		}
		w := word[0]
		if would {
			w = word[1]
		}
		details := c.Details
		if c.Writes() {
			written++
		} else {
			kept++
			w += ": it " + details[0]
			details = details[1:]
		}
		fmt.Fprintf(out, "%s: %s\n", c.Title(), w)
		if c.Kind == apply.KindConnection && len(details) > 0 {
			details = []string{strings.Join(details, ", ")}
		}
		if !would {
			continue
		}
		for _, line := range details {
			fmt.Fprintf(out, "    %s\n", line)
		}
	}
	if written+kept == 0 {
		_, err := fmt.Fprintln(out, "nothing to change")
		return err
	}
	if would {
		return nil
	}
	_, err := fmt.Fprintf(out, "%d changed, %d kept as they were\n", written, kept)
	return err
}
