package jobs

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// compile compiles the rules of a connection as Registry does.
func (a *Admin) compile(id, connector string, settings map[string]string, push connectors.PushConfig, source []byte) (*mapping.Ruleset, error) {
	return mapping.Compile("rules/"+id+".yaml", source, mapping.Options{
		Connection: id, Connector: connector, IdentityScope: settings["identity_scope"], Stages: push.Stages,
	})
}

// CheckRules compiles rules for a connection without publishing them. The
// error is *Invalid and lists every mistake.
func (a *Admin) CheckRules(ctx context.Context, id string, source []byte) (*mapping.Ruleset, error) {
	c, err := a.fresh(ctx, id)
	if err != nil {
		return nil, err
	}
	rules, err := a.compile(c.ID, c.Connector, c.Settings, c.Push, source)
	var wrong Invalid
	wrong.add(err)
	return rules, wrong.orNil()
}

// Rules gives the rules of a connection in force. Version zero is the
// connector's defaults.
func (a *Admin) Rules(ctx context.Context, id string) (store.Versioned, error) {
	c, err := a.fresh(ctx, id)
	if err != nil {
		return store.Versioned{}, err
	}
	if c.Connection.Rules == 0 {
		return store.Versioned{Connection: id, Source: string(c.RulesSource), Created: c.Created}, nil
	}
	return a.Registry.o.Store.Rules(ctx, id, c.Connection.Rules)
}

// PublishRules puts rules in force; was is the version they are based on, and
// store.ErrStale the answer when another one is in force by now.
func (a *Admin) PublishRules(ctx context.Context, id string, was int64, v store.Versioned) (int64, error) {
	if _, err := a.CheckRules(ctx, id, []byte(v.Source)); err != nil {
		return 0, err
	}
	version, err := a.Registry.o.Store.PublishRules(ctx, id, was, v)
	if err != nil {
		return 0, err
	}
	if err := a.Registry.Refresh(ctx); err != nil || a.Works == nil {
		return version, err
	}
	return version, a.Registry.rejudge(context.WithoutCancel(ctx), a.Works, v.Author)
}

// RulesVersions lists what was published for a connection, newest first.
func (a *Admin) RulesVersions(ctx context.Context, id string) ([]store.Versioned, error) {
	if _, err := a.Registry.Find(ctx, id); err != nil {
		return nil, err
	}
	return a.Registry.o.Store.RulesVersions(ctx, id)
}

// PreviousRules gives the version before the one in force; zero is the connector's
// defaults. The error is store.ErrNotFound where these are in force.
func (a *Admin) PreviousRules(ctx context.Context, id string) (int64, error) {
	c, err := a.fresh(ctx, id)
	if err != nil {
		return 0, err
	}
	if c.Connection.Rules == 0 {
		return 0, fmt.Errorf("jobs: rules of %s: there is no version before the connector's own: %w", id, store.ErrNotFound)
	}
	return c.Connection.Rules - 1, nil // they are numbered without gaps
}

// RollbackRules publishes an earlier version's text again, with a reason that is
// kept; version zero is the connector's defaults. Stored events stay as they are
// until they are replayed.
func (a *Admin) RollbackRules(ctx context.Context, id string, to int64, author, reason string) (int64, error) {
	if reason == "" {
		reason = fmt.Sprintf("back to version %d", to)
	}
	c, err := a.fresh(ctx, id)
	if err != nil {
		return 0, err
	}
	source := string(c.Vendor.Descriptor.Rules)
	if to != 0 {
		v, err := a.Registry.o.Store.Rules(ctx, id, to)
		if err != nil {
			return 0, err
		}
		source = v.Source
	}
	v := store.Versioned{Source: source, Author: author, Note: reason}
	return a.PublishRules(ctx, id, c.Connection.Rules, v)
}

// Mapped is what rules make of one raw event.
type Mapped struct {
	// Outcome is what would become of it; Outcome.Status is store.Done where
	// Events were made.
	Outcome store.Outcome
	Events  []lifecycle.Event
}

// Previewed is one raw event under the rules in force and under a draft.
type Previewed struct {
	Row        store.Row
	Now, Draft Mapped
	Changed    bool
}

// maxPreview is the most raw events that one preview maps.
const maxPreview = 500

// PreviewRules maps the newest raw events of a connection by draft rules and
// by those in force, newest first. Nothing is written. The error is *Invalid
// where the draft has mistakes.
func (a *Admin) PreviewRules(ctx context.Context, id string, source []byte, newest int) ([]Previewed, error) {
	draft, err := a.CheckRules(ctx, id, source)
	if err != nil {
		return nil, err
	}
	rows, err := a.Registry.o.Store.RecentRows(ctx, id, min(max(newest, 1), maxPreview))
	if err != nil {
		return nil, err
	}
	now := a.Registry.Config()
	then := underDraft(now, id, draft, source)
	all := make([]Previewed, len(rows))
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := Previewed{Row: rows[i], Now: a.mapAlone(now, &rows[i]), Draft: a.mapAlone(then, &rows[i])}
		p.Changed = !reflect.DeepEqual(p.Now, p.Draft)
		all[i] = p
	}
	return all, nil
}

// underDraft is the configuration as it would be with draft rules for one
// connection.
func underDraft(now *Config, id string, draft *mapping.Ruleset, source []byte) *Config {
	then := *now
	then.Connections = maps.Clone(now.Connections)
	if c := now.Connections[id]; c != nil {
		then.Connections[id] = &Conn{Connection: c.Connection, Vendor: c.Vendor, Push: c.Push, Settings: c.Settings, Rules: draft, RulesSource: source}
	}
	return &then
}

func (a *Admin) mapAlone(cfg *Config, row *store.Row) Mapped {
	m := mapRow(cfg, row, lifecycle.At(a.Registry.o.Now()))
	return Mapped{Outcome: m.outcome, Events: m.events}
}
