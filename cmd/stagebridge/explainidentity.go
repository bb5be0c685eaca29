package main

import (
	"context"
	"fmt"
	"io"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// explainIdentity tells where the person's keys come from and what joined
// them.
func (a *app) explainIdentity(ctx context.Context, out io.Writer, id lifecycle.ProfileID) error {
	x, err := a.admin.Provenance(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "\nkeys:\n")
	for _, k := range x.Keys {
		fmt.Fprintf(out, "  %s, %s%s\n", k.Key, k.Class, toldBy(", first told by ", k.Event))
	}
	for _, j := range x.Joined {
		class := string(j.Class) + " evidence"
		if j.Decision != lifecycle.Observed {
			class = "decided"
		}
		fmt.Fprintf(out, "  %s belongs to %s: %s%s\n", j.Key, j.With, class, toldBy(", ", j.Event))
	}
	for _, m := range x.Absorbed {
		fmt.Fprintf(out, "  person %d became this one\n", m.Loser)
	}
	return nil
}

// toldBy names an event with its raw event; "" for none.
func toldBy(before string, e *lifecycle.Event) string {
	if e == nil {
		return ""
	}
	text := fmt.Sprintf("%s%s at %s", before, e.Name, when(e.At))
	if e.Inbox != 0 {
		text += fmt.Sprintf(", raw event %d of %s", e.Inbox, e.Connection)
	}
	if reason, ok := e.Properties["reason"].(string); ok && e.IsDecision() {
		text += ": " + oneLine(reason)
	}
	return text
}
