package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/store"
)

// WorkPlanPreview is the kind of long work that derives everybody under a draft
// of the plan and tells what publishing would change; it writes nothing. What
// comes of it is a PlanPreview.
const WorkPlanPreview = "plan preview"

// PlanPreviewArgs say what to look at.
type PlanPreviewArgs struct {
	// Plan is the draft, YAML.
	Plan string `json:"plan"`
	// Share of the people who would be under it, in hundredths of a percent; zero:
	// everybody.
	Share int64 `json:"share,omitempty"`
	// Based is the version that the draft was made from, for who goes on with it;
	// nil: not told.
	Based *int64 `json:"based,omitempty"`
}

// PlanPreviewKind is the kind WorkPlanPreview. It begins anew after an
// interruption.
func PlanPreviewKind(a *Admin) WorkKind {
	return WorkKind{Name: WorkPlanPreview, Unit: "people", Run: func(ctx context.Context, t *Task) (any, error) {
		var args PlanPreviewArgs
		if err := t.Args(&args); err != nil {
			return nil, err
		}
		// Whoever takes the work away ends the context, too.
		tell := func(done, total int64) { _ = t.At(done, total, nil) }
		p, err := a.PreviewPlan(ctx, []byte(args.Plan), PreviewOptions{Share: args.Share, Progress: tell})
		var wrong *Invalid
		if errors.As(err, &wrong) {
			return nil, errors.Join(ErrPermanent, err)
		}
		if err != nil {
			return nil, err
		}
		return p, t.At(p.People, p.People, nil)
	}}
}

// StartPlanPreview begins to look at everybody under a draft, unless that is
// under way. The error is *Invalid for a draft with mistakes or a share that
// there is not.
func (a *Admin) StartPlanPreview(ctx context.Context, args PlanPreviewArgs, author string) (store.Work, error) {
	if _, err := a.CheckPlan([]byte(args.Plan)); err != nil {
		return store.Work{}, err
	}
	if args.Share != 0 {
		if err := checkShare(args.Share); err != nil {
			return store.Work{}, err
		}
	}
	one, _, err := a.Works.Start(ctx, WorkPlanPreview, fmt.Sprintf("draft %016x", hashOf(args)), args, author, "")
	return one, err
}
