package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// WorkRelease names the long work that judges parked raw events again.
const WorkRelease = "plan release"

// releasePage is how many raw events are made pending in one transaction.
const releasePage = 500

// judgedNote begins the name of a note that tells under which plan and rules
// the parked raw events of a connection were judged last.
const judgedNote = "judged "

// ReleaseFilter selects parked raw events. A zero field takes all.
type ReleaseFilter struct {
	Connection string                   `json:"connection,omitempty"`
	Class      lifecycle.ViolationClass `json:"class,omitempty"`
}

func (f *ReleaseFilter) inbox() store.InboxFilter {
	return store.InboxFilter{Connection: f.Connection, Status: store.StatusName(store.Quarantined), Step: stepPlan, Reason: string(f.Class)}
}

// releaseArgs are what the work is started with. Judged, when set, is what the
// connection's note says once all were judged.
type releaseArgs struct {
	ReleaseFilter
	Judged string `json:"judged,omitempty"`
}

// releasePlace is how far the work has come, from the newest to the oldest.
type releasePlace struct {
	After  string `json:"after"`
	Judged int64  `json:"judged"`
}

// Released is the result of judging parked raw events again.
type Released struct {
	// Judged is how many were made pending. Those that still do not fit are
	// parked again when they are processed, the others take effect.
	Judged int64 `json:"judged"`
}

// ReleaseKind is the long work of judging raw events again that are parked for
// not fitting the plan. It may be stopped and begun again at any moment: an
// event is parked, pending or processed, and never lost.
func ReleaseKind(s *store.Store) WorkKind {
	return WorkKind{
		Name: WorkRelease, Unit: "raw events",
		Run: func(ctx context.Context, t *Task) (any, error) { return release(ctx, s, t) },
		Canceled: func(ctx context.Context, t *Task) error {
			var args releaseArgs
			if err := t.Args(&args); err != nil {
				return err
			}
			return noteJudged(ctx, s, &args) // or the next look would begin it again
		},
	}
}

func release(ctx context.Context, s *store.Store, t *Task) (any, error) {
	var args releaseArgs
	if err := t.Args(&args); err != nil {
		return nil, err
	}
	var at releasePlace
	t.Place(&at)
	total, err := quarantined(ctx, s, args.Connection)
	if err != nil {
		return nil, err
	}
	total += at.Judged
	f := args.inbox()
	f.Limit = releasePage
	for {
		f.After = at.After
		page, err := s.Inbox(ctx, f)
		if err != nil {
			return nil, err
		}
		ids := make([]int64, len(page.Rows))
		for i := range page.Rows {
			ids[i] = page.Rows[i].ID
		}
		if len(ids) > 0 {
			n, err := s.Replay(ctx, ids)
			at.Judged += int64(n)
			if err != nil {
				return nil, err
			}
		}
		if at.After = page.Next; at.After == "" {
			break
		}
		if err := t.At(at.Judged, total, at); err != nil {
			return nil, err
		}
	}
	if err := t.At(at.Judged, at.Judged, nil); err != nil {
		return nil, err
	}
	return Released{at.Judged}, noteJudged(ctx, s, &args)
}

func noteJudged(ctx context.Context, s *store.Store, args *releaseArgs) error {
	if args.Judged == "" {
		return nil
	}
	return s.SetNote(ctx, judgedNote+args.Connection, args.Judged)
}

// quarantined counts the parked raw events of a connection; "" is all.
func quarantined(ctx context.Context, s *store.Store, connection string) (int64, error) {
	counters, err := s.Counters(ctx)
	if err != nil {
		return 0, err
	}
	name, n := store.StatusName(store.Quarantined), int64(0)
	for id, of := range counters {
		if connection == "" || id == connection {
			n += of[name]
		}
	}
	return n, nil
}

// rejudge starts the work for every connection whose rules, or the plan's word
// on events, are not those that its parked raw events were judged by. A change
// that judges every event alike starts nothing, and neither does a process that
// knows nothing of this work: one that does finds it within a minute.
func (r *Registry) rejudge(ctx context.Context, works *Works, author string) error {
	if works.Unit(WorkRelease) == "" {
		return nil
	}
	cfg := r.Config()
	notes, err := r.o.Store.Notes(ctx, judgedNote)
	if err != nil {
		return err
	}
	print := cfg.Plan.JudgementPrint()
	for _, id := range slices.Sorted(maps.Keys(cfg.Connections)) {
		args := releaseArgs{ReleaseFilter{Connection: id}, fmt.Sprint(print, " ", cfg.Connections[id].Connection.Rules)}
		if notes[judgedNote+id] == args.Judged {
			continue
		}
		n, err := quarantined(ctx, r.o.Store, id)
		if err != nil {
			return err
		}
		if n == 0 {
			err = noteJudged(ctx, r.o.Store, &args)
		} else {
			_, _, err = works.Start(ctx, WorkRelease, id, args, author, "the plan or the rules changed")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Release judges the parked raw events of a filter again, as long work whose
// record it answers; with dryRun it only counts them. Publishing a plan or
// rules does so on its own.
func (a *Admin) Release(ctx context.Context, f ReleaseFilter, author string, dryRun bool) (int, store.Work, error) {
	counted, err := a.Registry.o.Store.CountReplayable(ctx, f.inbox())
	n := int(counted)
	if err != nil || dryRun {
		return n, store.Work{}, err
	}
	one, _, err := a.Works.Start(ctx, WorkRelease, f.Connection+" "+string(f.Class), releaseArgs{ReleaseFilter: f}, author, "released by hand")
	return n, one, err
}

// Violations lists what does not fit the plan; see store.Violations.
func (a *Admin) Violations(ctx context.Context, f store.ViolationFilter) ([]store.Violation, string, error) {
	return a.Registry.o.Store.Violations(ctx, f)
}

// ForgetViolations removes what was counted; see store.ForgetViolations.
func (a *Admin) ForgetViolations(ctx context.Context, f store.ViolationFilter) (int, error) {
	return a.Registry.o.Store.ForgetViolations(ctx, f)
}
