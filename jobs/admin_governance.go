package jobs

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/lint"
	"github.com/stagebridge/stagebridge/lifecycle/plandocs"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// LintPlan gives advice about a plan, by what the connections send and what
// came in; nil stands for the plan in force. The error is *Invalid where the
// text is no plan.
func (a *Admin) LintPlan(ctx context.Context, source []byte) ([]lint.Finding, error) {
	cfg, err := a.config(ctx)
	if err != nil {
		return nil, err
	}
	plan := cfg.Plan
	if source == nil {
		source = []byte(cfg.PlanSource.Source)
	} else if plan, err = a.CheckPlan(source); err != nil {
		return nil, err
	}
	facts, err := a.facts(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return lint.Plan("plan.yaml", source, plan, facts), nil
}

// config gives the configuration as the database has it now.
func (a *Admin) config(ctx context.Context) (*Config, error) {
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return a.Registry.Config(), nil
}

// facts gathers what lint wants to know of an installation.
func (a *Admin) facts(ctx context.Context, cfg *Config) (lint.Facts, error) {
	f := lint.Facts{EmittedKnown: len(cfg.Connections) > 0}
	for _, id := range slices.Sorted(maps.Keys(cfg.Connections)) {
		c := cfg.Connections[id]
		if c.Rules == nil {
			f.EmittedKnown = false
			continue
		}
		file := ""
		if c.Connection.Rules != 0 {
			file = "rules/" + id + ".yaml"
		}
		f.Emitted = append(f.Emitted, Emitted(id, file, c.Rules)...)
		for _, field := range slices.Sorted(maps.Keys(c.Push.Traits)) {
			if c.Push.Enabled {
				f.Pushed = append(f.Pushed, lint.Pushed{Connection: id, Field: field, Trait: c.Push.Traits[field]})
			}
		}
	}
	found, _, err := a.Registry.o.Store.Violations(ctx, store.ViolationFilter{Class: lifecycle.ViolationEvent, Limit: store.MaxPage})
	if err != nil {
		return f, err
	}
	for _, v := range found {
		f.Arrived = append(f.Arrived, lint.Arrived{Connection: v.Connection, Rule: v.Rule, Event: v.Event, Count: v.Count + v.Replayed, Last: v.Last})
	}
	return f, nil
}

// Emitted lists what a connection's rules may send, as lint wants it. file
// stands in the findings; empty for a connector's own rules, which have no
// lines that somebody could change.
func Emitted(connection, file string, rules *mapping.Ruleset) []lint.Emitted {
	var all []lint.Emitted
	for _, e := range rules.Emits() {
		one := lint.Emitted{Connection: connection, Rule: e.Rule, Event: e.Event, Properties: e.Properties, Traits: e.Traits}
		if file != "" {
			one.File, one.Line = file, e.Line
		}
		all = append(all, one)
	}
	return all
}

// PlanFormats gives the forms of a plan's page.
func PlanFormats() []string { return []string{"markdown", "html"} }

// WritePlanDocs writes the page of the plan in force in one of PlanFormats.
func (a *Admin) WritePlanDocs(ctx context.Context, w io.Writer, format string) error {
	cfg, err := a.config(ctx)
	if err != nil {
		return err
	}
	var senders []plandocs.Sender
	for _, id := range slices.Sorted(maps.Keys(cfg.Connections)) {
		if rules := cfg.Connections[id].Rules; rules != nil {
			senders = append(senders, Senders(id, rules)...)
		}
	}
	return WritePlanDocs(w, format, cfg.Plan, senders)
}

// Senders lists what a connection's rules may send, as a plan's page names it.
func Senders(connection string, rules *mapping.Ruleset) []plandocs.Sender {
	var all []plandocs.Sender
	for _, e := range rules.Emits() {
		all = append(all, plandocs.Sender{Connection: connection, Rule: e.Rule, Event: e.Event})
	}
	return all
}

// WritePlanDocs writes the page of any plan in one of PlanFormats.
func WritePlanDocs(w io.Writer, format string, plan *lifecycle.Plan, senders []plandocs.Sender) error {
	switch format {
	case "markdown":
		return plandocs.Markdown(w, plan, senders)
	case "html":
		return plandocs.HTML(w, plan, senders)
	}
	return fmt.Errorf("jobs: plan docs: %q is no format; want markdown or html", format)
}
