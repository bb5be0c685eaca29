package web

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/lint"
)

// planAdvice is what lint finds in the text that the editor holds.
type planAdvice struct {
	// InForce: the text is the plan in force, and no draft.
	InForce bool
	// Open: it was asked for by a button. While somebody types it stays folded, so
	// that the editor below does not move away.
	Open             bool
	Errors, Warnings int64
	// Rows are the first mostAdvice findings: about the text itself, then about
	// what connections send, errors before warnings. More is how many there are
	// besides.
	Rows []adviceRow
	More int64
}

// adviceRow is a finding. Here tells that its line is one of the editor's text;
// otherwise it is about the rules of its connection, or has no place.
type adviceRow struct {
	lint.Finding
	Here bool
}

// mostAdvice is how many findings a page shows.
const mostAdvice = 30

// advise adds the advice about what the editor holds. A text with mistakes gets
// none: they come first.
func (w *Web) advise(ctx context.Context, body *planPage, typing bool) error {
	if len(body.Mistakes) > 0 {
		return nil
	}
	inForce, source := body.Source == w.registry.Config().PlanSource.Source, []byte(nil)
	if !inForce {
		source = []byte(body.Source)
	}
	found, err := w.admin.LintPlan(ctx, source)
	if refused := (*jobs.Invalid)(nil); errors.As(err, &refused) {
		return nil // an old draft that is no plan any more
	}
	if err != nil {
		return err
	}
	body.Advice = adviceOf(found, inForce)
	body.Advice.Open = body.Checked && !typing
	return nil
}

func adviceOf(found []lint.Finding, inForce bool) *planAdvice {
	wrong := lint.Errors(found)
	a := &planAdvice{InForce: inForce, Errors: int64(wrong), Warnings: int64(len(found) - wrong), More: int64(max(len(found)-mostAdvice, 0))}
	slices.SortStableFunc(found, func(x, y lint.Finding) int { return cmp.Compare(rankOf(x), rankOf(y)) })
	for _, f := range found[:min(len(found), mostAdvice)] {
		a.Rows = append(a.Rows, adviceRow{f, f.Connection == "" && f.Line > 0})
	}
	return a
}

// rankOf puts the text itself first: a draft that renames events has a finding
// for each rule, and those would hide what is wrong with the draft.
func rankOf(f lint.Finding) int {
	rank := 0
	if f.Connection != "" {
		rank = 2
	}
	if f.Severity != lint.Error {
		rank++
	}
	return rank
}
