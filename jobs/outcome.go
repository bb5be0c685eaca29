package jobs

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Retry schedule of one person at one vendor: 2 s doubling up to an hour, so
// 20 tries last about twelve hours; then the person stays failed until a
// person asks for a retry or something about the person changes.
const (
	firstBackoff = 2 * time.Second
	mostBackoff  = time.Hour
	mostAttempts = 20
)

// backoff is the pause after the n-th failed attempt (from 1), with jitter so
// that a vendor that comes back is not met by everybody at once.
func backoff(n int64) time.Duration {
	d := mostBackoff
	if n < 12 {
		d = min(firstBackoff<<(n-1), mostBackoff)
	}
	return d - time.Duration(rand.Int64N(int64(d)/4)) + time.Duration(rand.Int64N(int64(d)/4))
}

// writeBack turns the vendor's result into what is stored. u is nil where
// nothing was sent.
func (p *Pusher) writeBack(x *store.LeasedPerson, u *connectors.Update, r connectors.Result) store.WriteBack {
	w := store.WriteBack{Sync: x.Sync}
	now := p.Now()
	w.Reason, w.Message, w.Job = string(r.Reason), r.Message, ""
	if r.VendorID != "" {
		w.VendorID = r.VendorID
	}
	w.Sent = sentUpTo(x, u, r)
	if len(r.Written) > 0 && r.Outcome != connectors.OK && r.Outcome != connectors.Unconfirmed {
		w.Known = "" // it arrived in part
	}
	f := fateOf(r, x.Attempts, now)
	w.State, w.Attempts, w.Retry = f.state, f.attempts, f.retry
	if r.Outcome == connectors.Submitted {
		w.Job = r.Job
	}
	switch {
	case f.arrived && u != nil:
		w.Known, w.Pushed = rememberState(u), lifecycle.At(now)
	case f.unknown:
		w.Known = ""
	}
	return w
}

// fate is what a result means for whoever was pushed, a person or an account.
type fate struct {
	state    string
	attempts int64
	retry    lifecycle.Instant // zero: no more
	arrived  bool              // the vendor holds what was sent, or is about to
	unknown  bool              // nobody knows what it holds
}

func fateOf(r connectors.Result, attempts int64, now time.Time) fate {
	switch r.Outcome {
	case connectors.OK:
		return fate{state: store.SyncSynced, arrived: true}
	case connectors.Unconfirmed:
		return fate{state: store.SyncUnconfirmed, arrived: true}
	case connectors.Skipped:
		return fate{state: store.SyncSkipped}
	case connectors.Submitted:
		return fate{state: store.SyncSubmitted, attempts: attempts, arrived: true, retry: lifecycle.At(now.Add(max(r.Delay, firstBackoff)))}
	case connectors.Permanent:
		return fate{state: store.SyncFailed, attempts: attempts}
	}
	f := fate{state: store.SyncPending, attempts: attempts + 1, unknown: unknown(r.Reason)}
	if f.attempts >= mostAttempts {
		f.state = store.SyncFailed
		return f
	}
	f.retry = lifecycle.At(now.Add(max(r.Delay, backoff(f.attempts))))
	return f
}

// unknown reports failures after which the vendor may or may not hold what was
// sent, so that the next push must send everything.
func unknown(r connectors.Reason) bool {
	switch r {
	case connectors.ReasonTimeout, connectors.ReasonConnection, connectors.ReasonServer, connectors.ReasonBadAnswer:
		return true
	}
	return false
}

// sentUpTo is the number of the last transition that need not be told again.
func sentUpTo(x *store.LeasedPerson, u *connectors.Update, r connectors.Result) int64 {
	last := x.Sent
	switch {
	case r.Outcome == connectors.OK || r.Outcome == connectors.Unconfirmed || r.Outcome == connectors.Skipped:
		if len(x.Moves) > 0 {
			last = x.Moves[len(x.Moves)-1].Seq
		}
	case u != nil && r.Sent > 0 && r.Sent <= len(u.Moves):
		last = u.Moves[r.Sent-1].Seq
	}
	return max(last, x.Sent)
}

func rememberState(u *connectors.Update) string {
	s := u.Want
	if s.Stage == "" && u.Known != nil {
		s.Stage, s.Since = u.Known.Stage, u.Known.Since
	}
	b, err := json.Marshal(known{State: s, Email: u.Email})
	if err != nil {
		return "" // not known, so everything is sent the next time
	}
	return string(b)
}

// retryDelay is asynq's pause after a failed push:retry or enrich task: what
// the vendor asked for, else the same backoff as in the store.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	var pe *connectors.PushError
	if errors.As(err, &pe) && pe.RetryAfter > 0 {
		return pe.RetryAfter
	}
	var open *OpenError
	if errors.As(err, &open) {
		return open.After
	}
	return backoff(int64(n) + 1)
}
