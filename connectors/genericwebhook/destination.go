package genericwebhook

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Sizes of a push. 200 people of a batch go out over at most 32 requests at
// once, and four batches may run, so up to 128 requests are on their way.
const (
	batchSize   = 200
	batchesRun  = 4
	requestsRun = 32
	// pushBudget is how long one Push begins new requests, so that it ends
	// within twice the request timeout even at a slow receiver.
	pushBudget = 10 * time.Second
)

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: batchSize, Concurrency: batchesRun, Takes: connectors.TakesEvents}
}

// Push implements connectors.Destination: each move is one POST, those of a
// person one after the other, people side by side.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	if c.target.url == "" {
		return nil, &connectors.PushError{Act: actPush, Reason: connectors.ReasonSettings, Message: "the connection has no url to send to"}
	}
	results := make([]connectors.Result, len(updates))
	run := &run{until: c.config.Now().Add(pushBudget)}
	var next atomic.Int64
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(updates) {
				return
			}
			results[i] = c.bring(ctx, &updates[i], run)
		}
	}
	var workers sync.WaitGroup
	for range min(requestsRun, len(updates)) - 1 {
		workers.Go(work)
	}
	work()
	workers.Wait()
	return results, nil
}

// run is what the people of one Push share.
type run struct {
	until time.Time
	// down is the first failure that concerns the receiver rather than one
	// person; those whose turn has not come would meet the same.
	down atomic.Pointer[connectors.PushError]
}

// bring sends the moves of one person, oldest first, up to the first failure.
func (c *Connector) bring(ctx context.Context, u *connectors.Update, run *run) connectors.Result {
	posts := c.posts(u)
	for i, p := range posts {
		if down := run.down.Load(); down != nil {
			return partly(down.Result(), p.move)
		}
		if !c.config.Now().Before(run.until) {
			return partly(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the receiver is slow; the batch ended before this person's turn"}, p.move)
		}
		body, err := p.body()
		if err != nil {
			return partly(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: connectors.Words(err.Error(), c.secrets...)}, p.move)
		}
		if _, err := c.post(ctx, actPush, posts[i].id, body); err != nil {
			var e *connectors.PushError
			if !errors.As(err, &e) {
				e = &connectors.PushError{Act: actPush, Reason: connectors.ReasonConnection, Retryable: true, Message: err.Error()}
			}
			if concernsAll(e) {
				run.down.CompareAndSwap(nil, e)
			}
			return partly(e.Result(), p.move)
		}
	}
	return connectors.Result{Outcome: connectors.OK, Sent: len(u.Moves)}
}

// partly notes that the moves before this one arrived.
func partly(r connectors.Result, sent int) connectors.Result {
	r.Sent = sent
	return r
}

// concernsAll tells a failure of the receiver from the refusal of one message.
func concernsAll(e *connectors.PushError) bool {
	switch e.Reason {
	case connectors.ReasonTimeout, connectors.ReasonConnection, connectors.ReasonBlocked, connectors.ReasonRedirect,
		connectors.ReasonRateLimit, connectors.ReasonAuth, connectors.ReasonForbidden, connectors.ReasonGone, connectors.ReasonSettings:
		return true
	case connectors.ReasonServer:
		return e.RetryAfter > 0 // it names a time for everybody
	}
	return false
}

// post is one message to send; move is how many moves come before it.
type post struct {
	id   string
	move int
	kind string
	at   lifecycle.Instant
	data customer
}

// posts gives the messages of a person: one per move, two where segments were
// both entered and left and the stage stayed; without moves, or behind
// moves that do not tell all, the state as it is when the receiver may not have
// it.
func (c *Connector) posts(u *connectors.Update) []post {
	state := c.person(u)
	if len(u.Moves) == 0 {
		if u.Known != nil && sameState(u.Known, &u.Want) {
			return nil
		}
		return []post{{id: c.echoID + u.ID, kind: typeStage, at: u.Want.Since, data: resynced(state, u)}}
	}
	posts := make([]post, 0, len(u.Moves)+1)
	told := state.Stage
	for i, m := range u.Moves {
		p := post{id: c.echoID + m.ID, move: i, kind: typeStage, at: m.At, data: state}
		p.data.Transition, p.data.Sequence = m.Kind, m.Seq
		p.data.SegmentsAdded, p.data.SegmentsRemoved = list(m.Entered), list(m.Exited)
		if told = m.To; m.From != m.To {
			p.data.Stage, p.data.PreviousStage, p.data.StageChangedAt = m.To, m.From, isoTime(m.At)
			posts = append(posts, p)
			continue
		}
		if m.To != "" {
			p.data.Stage = m.To
		}
		switch {
		case len(m.Entered) > 0 && len(m.Exited) > 0:
			p.kind, p.data.SegmentsRemoved = typeEntered, []string{}
			posts = append(posts, p)
			p.id, p.kind = p.id+"-x", typeExited
			p.data.SegmentsAdded, p.data.SegmentsRemoved = []string{}, list(m.Exited)
		case len(m.Exited) > 0:
			p.kind = typeExited
		case len(m.Entered) > 0:
			p.kind = typeEntered
		}
		posts = append(posts, p)
	}
	if u.Unsettled || told != state.Stage && told != "" {
		last := state
		if last.Transition = "resync"; told != state.Stage {
			last.PreviousStage = told
		}
		posts = append(posts, post{id: c.echoID + u.ID, move: len(u.Moves), kind: typeStage, at: u.Want.Since, data: last})
	}
	return posts
}

// resynced says what differs from what the receiver is known to hold.
func resynced(state customer, u *connectors.Update) customer {
	state.Transition = "resync"
	if u.Known == nil {
		return state
	}
	if u.Known.Stage != u.Want.Stage {
		state.PreviousStage = u.Known.Stage
	}
	state.SegmentsAdded = missing(u.Want.Segments, u.Known.Segments)
	state.SegmentsRemoved = missing(u.Known.Segments, u.Want.Segments)
	return state
}

func profileID(id lifecycle.ProfileID) string { return strconv.FormatInt(int64(id), 10) }
