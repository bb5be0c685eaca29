package jobs

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// jobPatience is how long a vendor's job may run before the push is made anew.
const jobPatience = 24 * time.Hour

// follow asks the vendor about jobs that earlier pushes were taken as. Known of
// a submitted person is what the job is to bring about, so a job that ended
// well only ends the waiting; whoever's desired state changed while it ran, or
// whose job did not end well, is known nothing of. It gives the people to push
// now back: those without a job, and those whose job ended but says too little
// by now. Nobody is pushed while a job about them runs, since the older state
// could arrive last.
func (p *Pusher) follow(ctx context.Context, conn *Conn, dest connectors.Destination, people []store.LeasedPerson) (rest []store.LeasedPerson, backs []store.WriteBack, err error) {
	poller, ok := dest.(connectors.JobPoller)
	if !ok {
		return people, nil, nil
	}
	byJob := map[string][]store.LeasedPerson{}
	for _, x := range people {
		if x.Job == "" {
			rest = append(rest, x)
			continue
		}
		byJob[x.Job] = append(byJob[x.Job], x)
	}
	for _, job := range slices.Sorted(maps.Keys(byJob)) {
		waiting := byJob[job]
		updates, changed, err := p.waitingFor(conn, dest, waiting)
		if err != nil {
			return nil, nil, err
		}
		call, cancel := context.WithTimeout(ctx, p.timeout())
		results, failure := poller.Poll(call, job, updates)
		cancel()
		for i := range waiting {
			x := &waiting[i]
			r, ended := p.jobResult(x, results, i, len(waiting), failure)
			switch {
			case !ended:
				backs = append(backs, p.stillRunning(x, r))
			case changed[i]:
				x.Job, x.Known = "", ""
				rest = append(rest, *x)
			default:
				backs = append(backs, p.jobEnded(x, r))
			}
		}
	}
	return rest, backs, nil
}

// waitingFor makes the updates that the job was about, and says for whom
// something else is wanted by now.
func (p *Pusher) waitingFor(conn *Conn, dest connectors.Destination, waiting []store.LeasedPerson) ([]connectors.Update, []bool, error) {
	updates, changed := make([]connectors.Update, len(waiting)), make([]bool, len(waiting))
	for i := range waiting {
		u, _, err := p.update(p.Registry.Config(), conn, dest, &waiting[i])
		if err != nil {
			return nil, nil, err
		}
		// No update: what the job brings about is what is wanted.
		if changed[i] = u != nil; !changed[i] {
			u = &connectors.Update{Person: waiting[i].Person, VendorID: waiting[i].VendorID}
			if row := waiting[i].Profile; row != nil {
				u.Keys = parseKeys(row.Keys)
				if prof, err := lifecycle.DecodeProfile(row.State); row.State != nil && err == nil {
					u.Email = prof.Email()
				}
			}
		}
		updates[i] = *u
	}
	return updates, changed, nil
}

// jobResult is what the vendor says about one person of a job, and whether the
// waiting has an end.
func (p *Pusher) jobResult(x *store.LeasedPerson, results []connectors.Result, i, people int, failure error) (connectors.Result, bool) {
	if failure != nil {
		e := asPushError(failure)
		if !e.Retryable {
			return connectors.Result{Outcome: connectors.Retry, Reason: e.Reason, Message: e.Message}, true
		}
		return connectors.Result{Outcome: connectors.Submitted, Reason: e.Reason, Message: e.Message, Delay: e.RetryAfter}, false
	}
	if len(results) == people && results[i].Outcome != connectors.Submitted {
		return results[i], true
	}
	if x.Pushed != 0 && p.Now().Sub(x.Pushed.Time()) > jobPatience {
		return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonTimeout, Message: "the vendor's job did not end within a day"}, true
	}
	var r connectors.Result
	if len(results) == people {
		r = results[i]
	}
	return r, false
}

// stillRunning waits on. A job may have become another one.
func (p *Pusher) stillRunning(x *store.LeasedPerson, r connectors.Result) store.WriteBack {
	w := store.WriteBack{Sync: x.Sync}
	w.State, w.Reason, w.Message = store.SyncSubmitted, string(r.Reason), r.Message
	if r.Job != "" {
		w.Job = r.Job
	}
	w.Retry = lifecycle.At(p.Now().Add(max(r.Delay, firstBackoff)))
	return w
}

// jobEnded files the result. What a job that went wrong has brought about is
// not known.
func (p *Pusher) jobEnded(x *store.LeasedPerson, r connectors.Result) store.WriteBack {
	w := p.writeBack(x, nil, r)
	w.Job = ""
	if r.Outcome != connectors.OK && r.Outcome != connectors.Unconfirmed {
		w.Known = ""
	}
	return w
}
