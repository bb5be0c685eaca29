package main

import (
	"context"
	"fmt"
	"os"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/workspace"
	"github.com/stagebridge/stagebridge/connectors/catalog"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

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

// applyWorkspace applies the folder WORKSPACE, when there is one.
func (a *app) applyWorkspace(ctx context.Context, p *program) error {
	if a.config.Workspace == "" {
		return nil
	}
	w, err := p.loadWorkspace(a.config.Workspace)
	if err != nil {
		return fmt.Errorf("%sWORKSPACE:\n%w", prefix, err)
	}
	if w.Plan != nil {
		now, err := a.admin.Plan(ctx)
		if err != nil {
			return err
		}
		if now.Source != w.Plan.Text {
			if _, err := a.admin.PublishPlan(ctx, now.Version, store.Versioned{Source: w.Plan.Text, Author: "workspace"}); err != nil {
				return err
			}
		}
	}
	for _, c := range w.Connections {
		if was := a.registry.Config().Connections[c.ID]; was != nil && was.Applied == c.File.Text {
			continue
		}
		in := jobs.ConnectionInput{ID: c.ID, Connector: c.Connector, Settings: c.Settings, Secrets: map[string]secret.Text{}, Push: &c.Push, Applied: &c.File.Text, Author: "workspace"}
		for name, values := range c.Secrets {
			in.Secrets[name] = values[0]
		}
		if r, ok := w.Rules[c.ID]; ok {
			in.Rules = &r.Text
		}
		save := a.admin.Create
		if a.registry.Config().Connections[c.ID] != nil {
			save = a.admin.Update
		}
		if _, err := save(ctx, in); err != nil {
			return fmt.Errorf("%s: %w", c.File.Path, err)
		}
	}
	return nil
}
