package jobs

import (
	"context"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/store"
)

// TextDiff is what differs between two versions of a plan or of rules.
type TextDiff struct {
	// Changes by meaning; nil where only spelling and comments differ.
	Changes []document.Difference
	// Lines that differ: see document.LineDiff.
	Lines []string
}

// diffTexts compares two texts. One that is no YAML is compared by lines alone.
func diffTexts(file, from, to string) TextDiff {
	d := TextDiff{Lines: document.LineDiff(from, to)}
	a, err := document.Parse(file, []byte(from))
	if err != nil {
		return d
	}
	b, err := document.Parse(file, []byte(to))
	if err != nil {
		return d
	}
	d.Changes = document.Differences(a, b)
	return d
}

// DiffPlan compares two versions of the plan; zero is the one that was there
// before any was published. store.ErrNotFound: there is no such version.
func (a *Admin) DiffPlan(ctx context.Context, from, to int64) (TextDiff, error) {
	was, err := a.planSource(ctx, from)
	if err != nil {
		return TextDiff{}, err
	}
	is, err := a.planSource(ctx, to)
	return diffTexts("plan.yaml", was, is), err
}

// DiffPlanText compares a version of the plan with a text.
func (a *Admin) DiffPlanText(ctx context.Context, from int64, text string) (TextDiff, error) {
	was, err := a.planSource(ctx, from)
	return diffTexts("plan.yaml", was, text), err
}

// DiffRules compares two versions of a connection's rules; zero is the
// connector's defaults. store.ErrNotFound: there is no such version.
func (a *Admin) DiffRules(ctx context.Context, id string, from, to int64) (TextDiff, error) {
	was, err := a.rulesSource(ctx, id, from)
	if err != nil {
		return TextDiff{}, err
	}
	is, err := a.rulesSource(ctx, id, to)
	return diffTexts("rules/"+id+".yaml", was, is), err
}

// DiffRulesText compares a version of a connection's rules with a text.
func (a *Admin) DiffRulesText(ctx context.Context, id string, from int64, text string) (TextDiff, error) {
	was, err := a.rulesSource(ctx, id, from)
	return diffTexts("rules/"+id+".yaml", was, text), err
}

func (a *Admin) rulesSource(ctx context.Context, id string, version int64) (string, error) {
	c, err := a.fresh(ctx, id)
	if err != nil {
		return "", err
	}
	if version == 0 {
		return string(c.Vendor.Descriptor.Rules), nil
	}
	v, err := a.Registry.o.Store.Rules(ctx, id, version)
	if err != nil {
		return "", fmt.Errorf("jobs: rules of %s, version %d: %w", id, version, err)
	}
	return v.Source, nil
}

// VersionState says what a version of the plan is now.
type VersionState string

// The states of a version; empty where it is not in force.
const (
	InForce    VersionState = "in force"
	RollingOut VersionState = "rolling out"
)

// PlanState tells what a version of the plan is now, as far as Config knows.
func (c *Config) PlanState(v store.Versioned) VersionState {
	switch {
	case v.Version == c.PlanSource.Version:
		return InForce
	case c.Rollout != nil && v.Version == c.Rollout.Source.Version:
		return RollingOut
	}
	return ""
}
