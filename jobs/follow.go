package jobs

import (
	"context"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
)

// follow asks the vendor about jobs that earlier pushes were taken as, and
// gives the people whose state changed since, who are pushed anew, back.
func (p *Pusher) follow(ctx context.Context, conn *Conn, dest connectors.Destination, people []store.LeasedPerson) (rest []store.LeasedPerson, backs []store.WriteBack, err error) {
	poller, ok := dest.(connectors.JobPoller)
	if !ok {
		return people, nil, nil
	}
	byJob := map[string][]store.LeasedPerson{}
	for _, x := range people {
		if x.State != store.SyncSubmitted || x.Job == "" {
			rest = append(rest, x)
			continue
		}
		byJob[x.Job] = append(byJob[x.Job], x)
	}
	for _, job := range slices.Sorted(maps.Keys(byJob)) {
		waiting := byJob[job]
		updates := make([]connectors.Update, len(waiting))
		for i := range waiting {
			u, _, err := p.update(p.Registry.Config(), conn, dest, &waiting[i])
			if err != nil {
				return nil, nil, err
			}
			if u == nil {
				u = &connectors.Update{Person: waiting[i].Person}
			}
			updates[i] = *u
		}
		results, err := poller.Poll(ctx, job, updates)
		for i := range waiting {
			r := connectors.Result{Outcome: connectors.Submitted, Job: job}
			switch {
			case err != nil:
				r.Message = err.Error()
			case len(results) == len(waiting):
				r = results[i]
			}
			backs = append(backs, p.writeBack(&waiting[i], &updates[i], r))
		}
	}
	return rest, backs, nil
}
