package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Result is what the story led to.
type Result struct {
	// Inbox counts raw events by connection.
	Inbox map[string]*store.InboxStats
	// Stages and Moves count people by stage and moves by kind.
	Stages map[string]int
	Moves  map[string]int
	// Written counts the writes that each vendor accepted, People the people it
	// holds, by connection.
	Written, People map[string]int
	// Sync counts people by connection and state.
	Sync map[string]map[string]int64
}

// poll is how often Settle looks.
const poll = 50 * time.Millisecond

// Settle waits until everything that was sent has been processed and pushed
// and its echoes have come back. Within the time that ctx has, or it is an error
// that says what is still open.
func (w *World) Settle(ctx context.Context, s *store.Store) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for quiet := 0; ; {
		open, err := w.open(ctx, s)
		if err != nil {
			return err
		}
		if quiet++; len(open) > 0 {
			quiet = 0
		}
		// An echo may be on its way between two looks; not between five.
		if quiet == 5 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("demo: not done in time: %s: %w", strings.Join(open, ", "), context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// open lists what is still to be done.
func (w *World) open(ctx context.Context, s *store.Store) ([]string, error) {
	var open []string
	if n := w.HubSpot.Pending(); n > 0 {
		open = append(open, fmt.Sprintf("HubSpot has %d events to deliver", n))
	}
	if n := w.Mailchimp.Pending(); n > 0 {
		open = append(open, fmt.Sprintf("Mailchimp has %d webhooks to deliver", n))
	}
	inbox, err := s.InboxStats(ctx)
	if err != nil {
		return nil, err
	}
	for id, x := range inbox {
		if x.Pending > 0 {
			open = append(open, fmt.Sprintf("%d events of %s are pending", x.Pending, id))
		}
	}
	sync, err := s.SyncCounts(ctx)
	if err != nil {
		return nil, err
	}
	for id, states := range sync {
		for _, state := range []string{store.SyncPending, store.SyncSubmitted} {
			if states[state] > 0 {
				open = append(open, fmt.Sprintf("%d people are %s at %s", states[state], state, id))
			}
		}
	}
	slices.Sort(open)
	return open, nil
}

// Look gathers the result and holds it against the story: everybody must be in
// the stage that the story ends with, and every vendor must hold for everybody
// exactly what the bridge holds. The error has a line for each difference.
func (w *World) Look(ctx context.Context, s *store.Store) (*Result, error) {
	r := &Result{Stages: map[string]int{}, Moves: map[string]int{}}
	var err error
	if r.Inbox, err = s.InboxStats(ctx); err != nil {
		return nil, err
	}
	if r.Sync, err = s.SyncCounts(ctx); err != nil {
		return nil, err
	}
	cast := Cast()
	want, visitors := map[string]string{}, 0
	for _, p := range cast {
		if p.Email == "" {
			visitors++
		} else {
			want[p.Email] = p.Stage
		}
	}
	var wrong []error
	people, unknown := 0, 0
	err = s.EachPerson(ctx, func(p *store.Person) error {
		people++
		r.Stages[string(p.Stage)]++
		prof, err := lifecycle.DecodeProfile(p.State)
		if err != nil {
			return err
		}
		if err := r.countMoves(ctx, s, p.ID); err != nil {
			return err
		}
		email := prof.Email()
		stage, known := want[email]
		delete(want, email)
		switch {
		case email == "":
			if unknown++; p.Stage != "Visit" {
				wrong = append(wrong, fmt.Errorf("visitor %d is %s", p.ID, p.Stage))
			}
			return nil
		case !known:
			wrong = append(wrong, fmt.Errorf("%s is nobody of the story, or there twice", email))
		case string(p.Stage) != stage:
			wrong = append(wrong, fmt.Errorf("%s is %s, want %s", email, p.Stage, stage))
		}
		wrong = append(wrong, w.compare(email, p, prof)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if people != len(cast) || unknown != visitors || len(want) > 0 {
		wrong = append(wrong, fmt.Errorf("%d people (%d unknown by name), want %d (%d)", people, unknown, len(cast), visitors))
	}
	wrong = append(wrong, r.parked(w)...)
	r.count(w)
	return r, errors.Join(wrong...)
}

// parked lists raw events and people that ended as nothing in the story may.
func (r *Result) parked(w *World) []error {
	var wrong []error
	for id, x := range r.Inbox {
		if x.Pending+x.Failed+x.Quarantined+x.Rejected > 0 {
			wrong = append(wrong, fmt.Errorf("%s: %d pending, %d failed, %d quarantined, %d rejected", id, x.Pending, x.Failed, x.Quarantined, x.Rejected))
		}
	}
	for id, states := range r.Sync {
		for state, n := range states {
			// Some vendors' answers prove nothing, see connectors.Unconfirmed.
			unproved := w.others[id] != nil && state == store.SyncUnconfirmed
			if n > 0 && state != store.SyncSynced && state != store.SyncSkipped && !unproved {
				wrong = append(wrong, fmt.Errorf("%d people are %s at %s", n, state, id))
			}
		}
	}
	return wrong
}

func (r *Result) countMoves(ctx context.Context, s *store.Store, id lifecycle.ProfileID) error {
	after := ""
	for {
		items, next, err := s.Timeline(ctx, id, after, store.MaxPage)
		if err != nil {
			return err
		}
		for _, item := range items {
			if item.Move != nil && item.Move.From != item.Move.To {
				r.Moves[string(item.Move.Kind)]++
			}
		}
		if after = next; after == "" {
			return nil
		}
	}
}

func (r *Result) count(w *World) {
	r.Written = map[string]int{HubSpot: w.HubSpot.Counts().Writes, Newsletter: w.Mailchimp.Counts().Writes(), Warehouse: int(w.Sink.Counts().Accepted)}
	// The receiver knows a visitor by our number until the user id is known.
	told := map[string]bool{}
	for _, c := range w.Sink.Customers() {
		told[c.ProfileID] = true
	}
	r.People = map[string]int{HubSpot: len(w.HubSpot.Contacts()), Newsletter: len(w.Mailchimp.Members()), Warehouse: len(told)}
}

// compare holds a person against what each vendor has.
func (w *World) compare(email string, p *store.Person, prof *lifecycle.Profile) []error {
	var wrong []error
	differ := func(vendor string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			wrong = append(wrong, fmt.Errorf("%s holds %v for %s, want %v", vendor, got, email, want))
		}
	}
	var segments []string
	for _, name := range prof.SegmentNames() {
		segments = append(segments, string(name))
	}
	contact, ok := w.HubSpot.ByEmail(email)
	if !ok {
		wrong = append(wrong, fmt.Errorf("%s has no %s", w.Label(HubSpot), email))
	}
	held := strings.FieldsFunc(contact.Properties["sb_segments"], func(r rune) bool { return r == ';' })
	slices.Sort(held)
	differ(w.Label(HubSpot), contact.Properties["sb_stage"], p.Stage)
	differ(w.Label(HubSpot), held, segments)

	member, ok := w.Mailchimp.Member(email)
	if !ok {
		wrong = append(wrong, fmt.Errorf("%s has no %s", w.Label(Newsletter), email))
	}
	var tags []string
	for _, tag := range member.Tags {
		if name, ours := strings.CutPrefix(tag, "sb:"); ours {
			tags = append(tags, name)
		}
	}
	differ(w.Label(Newsletter), member.Merge["SBSTAGE"], p.Stage)
	differ(w.Label(Newsletter), tags, segments)

	id := fmt.Sprintf("profile:%d", p.ID)
	for _, key := range p.Keys {
		if user, ok := strings.CutPrefix(key, "user:"); ok {
			id = user
			break
		}
	}
	told, ok := w.Sink.Customer(id)
	if !ok {
		wrong = append(wrong, fmt.Errorf("%s was told nothing of %s", w.Label(Warehouse), email))
	}
	differ(w.Label(Warehouse), told.Stage, p.Stage)
	differ(w.Label(Warehouse), told.Segments, segments)
	return wrong
}
