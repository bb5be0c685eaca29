package jobs

import (
	"context"
	"errors"

	"github.com/stagebridge/stagebridge/store"
)

// replayPage is how many raw events are made pending in one transaction.
const replayPage = 500

// Replay makes the raw events of a filter pending again, whatever its page, and
// has them processed; with dryRun it only counts them. See the function Replay.
func (p *Pipeline) Replay(ctx context.Context, f store.InboxFilter, dryRun bool) (int, error) {
	n, err := Replay(ctx, p.o.Store, f, dryRun)
	if n > 0 && !dryRun {
		p.triggers.hit(QueueIngest)
	}
	return n, err
}

// Replay makes the raw events of a filter pending again and answers how many
// they are; with dryRun it only counts them. A server takes them up within a
// second. It may be stopped and called again: what was replayed is pending or
// processed anew, never lost.
func Replay(ctx context.Context, s *store.Store, f store.InboxFilter, dryRun bool) (int, error) {
	f.After, f.Limit = "", replayPage
	n, err := replayAll(ctx, s, f, dryRun)
	if n > 0 && !dryRun {
		err = errors.Join(err, s.NoteAudit(ctx, "inbox.replay", "inbox", nil, map[string]any{"filter": f, "events": n}))
	}
	return n, err
}

func replayAll(ctx context.Context, s *store.Store, f store.InboxFilter, dryRun bool) (int, error) {
	n := 0
	for {
		page, err := s.Inbox(ctx, f)
		if err != nil {
			return n, err
		}
		var ids []int64
		for _, r := range page.Rows {
			if r.Status != "pending" {
				ids = append(ids, r.ID)
			}
		}
		if dryRun {
			n += len(ids)
		} else if len(ids) > 0 {
			done, err := s.Replay(ctx, ids)
			n += done
			if err != nil {
				return n, err
			}
		}
		if page.Next == "" {
			return n, nil
		}
		f.After = page.Next
	}
}
