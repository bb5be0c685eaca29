package main

import (
	"context"
	"fmt"
	"io"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// tellStanding prints the plan that a person is under and the account they
// belong to.
func tellStanding(out io.Writer, c *jobs.Cause) {
	fmt.Fprintf(out, "under plan version %d", c.PlanVersion)
	if c.RollingOut {
		fmt.Fprint(out, ", which a share of the people is under so far")
	}
	if !c.Derived {
		fmt.Fprint(out, "; still to be brought there, so what follows may change")
	}
	fmt.Fprintln(out)
	if c.Account != nil {
		fmt.Fprintf(out, "of account %s", c.Account.Key)
		if c.Account.Stage != "" {
			fmt.Fprintf(out, ", which is %s, found %s", c.Account.Stage, when(c.Account.Found))
		}
		fmt.Fprintln(out)
	}
}

// tellHold prints how long the pin or claim holds that shows the stage.
func tellHold(out io.Writer, x *lifecycle.Explanation) {
	until := "until released"
	if x.Until != 0 {
		until = "until " + when(x.Until)
	}
	switch {
	case x.Pin != nil:
		fmt.Fprintf(out, "  pinned by hand at %s, %s", when(x.Pin.At), until)
		if x.Pin.Reason != "" {
			fmt.Fprintf(out, ": %s", oneLine(x.Pin.Reason))
		}
		fmt.Fprintln(out)
	case x.Claim != nil && x.Until != 0:
		fmt.Fprintf(out, "  claimed by %s at %s, counts %s\n", x.Claim.Connection, when(x.Claim.At), until)
	case x.Claim != nil:
		fmt.Fprintf(out, "  claimed by %s at %s, counts until its next\n", x.Claim.Connection, when(x.Claim.At))
	}
}

// tellCause prints the event and the raw webhook that led into the stage, or
// who decided it.
func tellCause(out io.Writer, x *lifecycle.Explanation, c *jobs.Cause) {
	switch {
	case c.Clock != nil:
		fmt.Fprintf(out, "  brought by: the passing of time since %s at %s\n", c.Clock.Name, when(c.Clock.At))
		return
	case x.Event == (lifecycle.EventID{}):
		fmt.Fprint(out, "  brought by: the passing of time\n")
		return
	case c.Event == nil:
		fmt.Fprintf(out, "  brought by: event %s, which is no longer there", x.Event)
	case c.Event.IsDecision():
		fmt.Fprintf(out, "  brought by: somebody's decision%s\n", toldBy(", ", c.Event))
		return
	default:
		fmt.Fprintf(out, "  brought by: %s at %s", c.Event.Name, when(c.Event.At))
		if c.Raw == nil {
			fmt.Fprintf(out, ", from raw event %d, which is no longer there", x.Inbox)
		}
	}
	if c.Raw == nil {
		fmt.Fprintln(out)
		return
	}
	fmt.Fprintf(out, ", from raw event %d (%s by %s, received %s, rule %s)\n", c.Raw.ID, c.Raw.Type, c.Raw.Connection, when(c.Raw.Received), c.Raw.Outcome.Rule)
	switch {
	case len(c.Raw.Body) > 0:
		fmt.Fprintf(out, "    %s\n", excerpt(c.Raw.Body))
	case c.Raw.Size == 0:
		fmt.Fprint(out, "    its bytes are no longer kept\n")
	}
}

// nobody says that no person has a key, and how many raw events are parked that
// may name it: those are nobody's until they are released.
func (a *app) nobody(ctx context.Context, key string) error {
	all, err := a.store.InboxStats(ctx)
	if err != nil {
		return err
	}
	var quarantined, failed, pending int64
	for _, x := range all {
		quarantined, failed, pending = quarantined+x.Quarantined, failed+x.Failed, pending+x.Pending
	}
	if quarantined+failed+pending == 0 {
		return fmt.Errorf("nobody has the key %s", key)
	}
	return fmt.Errorf("nobody has the key %s; %d raw events in quarantine, %d failed and %d waiting are nobody's yet and may name it (see /inbox, or GET /api/v1/inbox?status=quarantined)",
		key, quarantined, failed, pending)
}
