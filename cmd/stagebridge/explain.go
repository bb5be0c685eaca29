package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// explainCommand says why a person stands where they stand.
func explainCommand() command {
	c := command{name: "explain", operands: "KEY", summary: "say why a person (email:ann@example.com, or the number) has a stage, and what is missing for others"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		keys, err := p.parse(c, args, nil, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			person, err := a.findPerson(ctx, keys[0])
			if err != nil {
				return err
			}
			return a.explain(ctx, p.stdout, person)
		})
	}
	return c
}

// findPerson takes a key, an e-mail address, or the number of a person.
func (a *app) findPerson(ctx context.Context, key string) (*store.Person, error) {
	if id, err := strconv.ParseInt(key, 10, 64); err == nil {
		person, err := a.store.Person(ctx, lifecycle.ProfileID(id))
		if errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("there is no person number %d", id)
		}
		return person, err
	}
	namespace, value, ok := strings.Cut(key, ":")
	if !ok {
		namespace, value = lifecycle.NamespaceEmail, key
	}
	normal, ok := lifecycle.NormaliseKey(namespace, value)
	if !ok {
		return nil, fmt.Errorf("%q is no key; want namespace:value, such as email:ann@example.com, user:u-1 or hubspot-eu:51", key)
	}
	person, err := a.store.PersonByKey(ctx, normal.String())
	if errors.Is(err, store.ErrNotFound) {
		return nil, a.nobody(ctx, normal.String())
	}
	return person, err
}

// explain prints the stage and what is behind it, the way to other stages,
// segments, and where the person stands at each connection.
func (a *app) explain(ctx context.Context, out io.Writer, p *store.Person) error {
	prof, err := lifecycle.DecodeProfile(p.State)
	if err != nil {
		return fmt.Errorf("profile %d: %w", p.ID, err)
	}
	now, err := a.store.ServerTime(ctx)
	if err != nil {
		return err
	}
	plan := a.registry.Config().PlanOf(p.ID)
	x := plan.Explain(prof, now)
	cause, err := a.admin.Cause(ctx, p.ID, prof, &x)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "person %d: %s\n", p.ID, strings.Join(p.Keys, ", "))
	tellStanding(out, &cause)
	fmt.Fprintf(out, "\nstage: %s, since %s, by %s\n", x.Stage, when(x.Since), x.Via)
	if x.Condition != "" {
		fmt.Fprintf(out, "  condition: %s\n", oneLine(x.Condition))
		tellReason(out, x.Why, "    ")
	}
	if x.Leave != "" {
		fmt.Fprintf(out, "  until: %s\n", oneLine(x.Leave))
		tellReason(out, x.LeaveWhy, "    ")
	}
	if x.StaysUntil != 0 {
		fmt.Fprintf(out, "  stays at least until %s\n", when(x.StaysUntil))
	}
	if x.Wanted != "" {
		fmt.Fprintf(out, "  would be %s", x.Wanted)
		if x.Until != 0 {
			fmt.Fprintf(out, " from %s", when(x.Until))
		}
		fmt.Fprintln(out)
	}
	if x.Path != x.Stage {
		fmt.Fprintf(out, "  furthest on the path: %s, since %s\n", x.Path, when(x.PathSince))
	}
	tellHold(out, &x)
	tellCause(out, &x, &cause)
	fmt.Fprint(out, "\nother stages:\n")
	for i := range x.Next {
		tellOutlook(out, &x.Next[i])
	}
	fmt.Fprint(out, "\nsegments:\n")
	for _, s := range x.Segments {
		state := "not in it"
		if s.In {
			state = "in it since " + when(s.Since)
		}
		if s.StaysUntil != 0 {
			state += ", and at least until " + when(s.StaysUntil)
		}
		fmt.Fprintf(out, "  %s: %s%s\n", s.Name, state, changes(s.Due))
	}
	tellLifecycles(out, x.Lifecycles)
	tellScores(out, x.Scores)
	tellStances(out, plan, prof, now)
	if x.NextCheck != 0 {
		fmt.Fprintf(out, "\ntime alone may change something at %s\n", when(x.NextCheck))
	} else {
		fmt.Fprint(out, "\ntime alone changes nothing\n")
	}
	if err := a.explainIdentity(ctx, out, p.ID); err != nil {
		return err
	}
	return a.explainSync(ctx, out, p.ID)
}

func (a *app) explainSync(ctx context.Context, out io.Writer, id lifecycle.ProfileID) error {
	sync, err := a.store.SyncOf(ctx, []lifecycle.ProfileID{id})
	if err != nil {
		return err
	}
	if len(sync[id]) > 0 {
		fmt.Fprint(out, "\nat the connections:\n")
	}
	for _, s := range sync[id] {
		fmt.Fprintf(out, "  %s: %s", s.Connection, s.State)
		if s.Pushed != 0 {
			fmt.Fprintf(out, ", pushed %s", when(s.Pushed))
		}
		if s.Reason != "" {
			fmt.Fprintf(out, ", %s %s", s.Reason, s.Message)
		}
		fmt.Fprintln(out)
	}
	return nil
}

func tellOutlook(out io.Writer, o *lifecycle.Outlook) {
	side := ""
	if o.Side {
		side = " (beside the path)"
	}
	fmt.Fprintf(out, "  %s%s%s\n", o.Stage, side, changes(o.Due))
	switch o.Blocked {
	case "":
	case "from":
		fmt.Fprint(out, "    not open from the stage reached\n")
	default:
		fmt.Fprintf(out, "    comes after: %s\n", o.Blocked)
	}
	for i := range o.Unmet {
		tellMissing(out, &o.Unmet[i])
	}
}

// tellReason prints a condition's leaves, each with its truth and value.
func tellReason(out io.Writer, r *lifecycle.Reason, lead string) {
	if r == nil {
		return
	}
	if r.Op != "" {
		for i := range r.Kids {
			tellReason(out, &r.Kids[i], lead)
		}
		return
	}
	truth := "no  "
	if r.Holds {
		truth = "yes "
	}
	tellLeaf(out, r, lead+truth)
}

// tellMissing prints the leaves that keep a stage away; one that holds has to
// end.
func tellMissing(out io.Writer, r *lifecycle.Reason) {
	for i := range r.Kids {
		tellMissing(out, &r.Kids[i])
	}
	switch {
	case r.Op != "":
	case r.Holds:
		tellLeaf(out, r, "    missing: the end of ")
	default:
		tellLeaf(out, r, "    missing: ")
	}
}

func tellLeaf(out io.Writer, r *lifecycle.Reason, lead string) {
	fmt.Fprint(out, lead, r.Text)
	if r.Value != nil {
		value, err := json.Marshal(r.Value)
		if err == nil {
			fmt.Fprintf(out, " (is %s)", value)
		}
	}
	if r.At != 0 {
		fmt.Fprintf(out, ", last %s", when(r.At))
	}
	if r.Note != "" {
		fmt.Fprintf(out, ": %s", r.Note)
	}
	fmt.Fprintf(out, "%s\n", changes(r.Flips))
}

func changes(due lifecycle.Instant) string {
	if due == 0 {
		return ""
	}
	return ", changes by itself at " + when(due)
}

func when(i lifecycle.Instant) string { return i.Time().Format(time.RFC3339) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// excerpt is the beginning of a body, printable on a terminal.
func excerpt(body []byte) string {
	const most = 400
	cut := ""
	if len(body) > most {
		body, cut = body[:most], " …"
	}
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(body), " ")) + cut
}
