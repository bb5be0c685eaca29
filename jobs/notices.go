package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Kinds of notices.
const (
	NoticeFailing  = "failing"  // nobody arrives at a connection
	NoticeSilent   = "silent"   // nothing comes from a connection, against its habit
	NoticeDrifting = "drifting" // what a rule reads is no longer there
	NoticePiling   = "piling"   // what waits does not get less old
	NoticeFlipping = "flipping" // we and a vendor overwrite each other
	NoticeStuck    = "stuck"    // the pipeline does not go on
	noticeTest     = "test"
)

// NoticeKinds lists the kinds that a channel may ask for.
func NoticeKinds() []string {
	return []string{NoticeFailing, NoticeSilent, NoticeDrifting, NoticePiling, NoticeFlipping, NoticeStuck}
}

// When something is worth a notice, and when it is over.
const (
	noticeEvery  = 30 * time.Second
	flushNotes   = 10 * time.Second
	failingAfter = 5 * time.Minute
	pilingAfter  = 30 * time.Minute
	// overAfter is how long something must be gone, so that what comes and goes
	// is one notice.
	overAfter = 5 * time.Minute
	// silentWarmup is how long this process must have run before it calls
	// anybody silent: after a pause of ours, senders need a while to come back.
	silentWarmup = 30 * time.Minute
	// driftHabit samples make a habit, driftRun misses in a row break it.
	driftHabit, driftRun = 50, 20
	noticeTries          = 20
)

// Notices tells people what needs them. Any number of processes may run one:
// they take turns.
type Notices struct {
	Store    *store.Store
	Registry *Registry
	Watch    *Watch
	Vault    *secret.Vault
	Sender   *notify.Sender
	Metrics  *observe.Metrics
	// PublicURL leads to the pages.
	PublicURL string
	Now       func() time.Time
	Log       *slog.Logger

	lately *lately
	begun  time.Time
}

// Listen has a processor and a pusher of this process tell what they notice.
// Call it before they work.
func (n *Notices) Listen(p *Processor, s *Pusher) {
	n.lately = newLately()
	p.lately, s.lately = n.lately, n.lately
}

// Run notes and tells until ctx ends.
func (n *Notices) Run(ctx context.Context) {
	n.begun = n.Now()
	tick := time.NewTicker(flushNotes)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushNotes)
			defer cancel()
			n.log(n.Flush(last))
			return
		case <-tick.C:
		}
		n.log(n.Flush(ctx))
		// A little less, so that clocks that differ do not make every second turn be missed.
		mine, err := n.Store.Turn(ctx, "notices", noticeEvery*9/10)
		if err == nil && mine {
			err = n.Look(ctx)
		}
		if ctx.Err() == nil {
			n.log(err)
		}
	}
}

func (n *Notices) log(err error) {
	if err != nil {
		n.Log.Warn("notifications", "error", err)
	}
}

// Flush tells the store what this process noticed.
func (n *Notices) Flush(ctx context.Context) error {
	return errors.Join(n.Store.FlushArrivals(ctx), n.lately.flush(ctx, n.Store))
}

// Look judges what is so now, and tells of what began and what is over.
func (n *Notices) Look(ctx context.Context) error {
	now, err := n.judge(ctx)
	if err != nil || now == nil {
		return err
	}
	known, err := n.Store.Notices(ctx)
	if err != nil {
		return err
	}
	config, err := n.Config(ctx)
	if err != nil {
		return err
	}
	for _, x := range known {
		key := noticeKey{x.Connection, x.Kind, x.Subject}
		detail, holds := now[key]
		delete(now, key)
		if err := n.follow(ctx, config, x, detail, holds); err != nil {
			return err
		}
	}
	for key, detail := range now {
		x := store.Notice{Connection: key.connection, Kind: key.kind, Subject: key.subject, Since: lifecycle.At(n.Now())}
		if err := n.follow(ctx, config, x, detail, true); err != nil {
			return err
		}
	}
	return nil
}

type noticeKey struct{ connection, kind, subject string }

// follow brings one notice up to date and tells the channels.
func (n *Notices) follow(ctx context.Context, config notify.Config, x store.Notice, detail string, holds bool) error {
	now := lifecycle.At(n.Now())
	was := x
	switch {
	case holds:
		x.Gone = 0
		if x.Detail == "" {
			x.Detail = detail // as it was when it began
		}
	case x.Gone == 0:
		x.Gone = now
	}
	over := x.Gone != 0 && now >= x.Gone.Add(overAfter)
	told := map[string]string{}
	if x.Told != "" {
		if err := json.Unmarshal([]byte(x.Told), &told); err != nil {
			return fmt.Errorf("jobs: notices: %w", err)
		}
	}
	failed, waits := false, false
	for i := range config.Channels {
		ch := &config.Channels[i]
		state := "begun"
		if over {
			state = "ended"
		}
		if !ch.Wants(x.Kind) || told[ch.Name] == state || over && told[ch.Name] == "" {
			continue
		}
		if now < x.Next {
			waits = true
			continue
		}
		if err := n.tell(ctx, *ch, x, over); err != nil && x.Tries+1 < noticeTries {
			failed = true
			continue
		}
		told[ch.Name] = state
	}
	if failed {
		x.Tries++
		x.Next = now.Add(min(time.Hour, time.Minute<<min(x.Tries-1, 6)))
	} else if !waits {
		x.Tries, x.Next = 0, 0
	}
	if over && !failed && !waits {
		return n.Store.DropNotice(ctx, x)
	}
	b, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("jobs: notices: %w", err)
	}
	if x.Told = string(b); x == was {
		return nil
	}
	return n.Store.SaveNotice(ctx, x)
}

// tell sends one message to one channel.
func (n *Notices) tell(ctx context.Context, ch notify.Channel, x store.Notice, over bool) error {
	m := n.message(x, over)
	err := n.Sender.Send(ctx, ch, m)
	result := "sent"
	if err != nil {
		result = "failed"
		n.Log.Warn("a notification was not sent", "channel", ch.Name, "kind", x.Kind, "connection", x.Connection, "tries", x.Tries+1, "error", err)
	}
	n.Metrics.Notified(ch.Name, x.Kind, result)
	return err
}

func (n *Notices) message(x store.Notice, over bool) notify.Message {
	who, state := x.Connection, "begun"
	if who == "" {
		who = "the whole installation"
	}
	title := map[string]string{
		NoticeFailing: who + " takes nobody", NoticeSilent: who + " is silent", NoticeDrifting: "what comes from " + who + " has changed",
		NoticePiling: "work piles up for " + who, NoticeFlipping: who + " and we overwrite each other", NoticeStuck: "the pipeline does not go on: " + who,
		noticeTest: "a test",
	}[x.Kind]
	if over {
		title, state = "Over: "+title, "ended"
	}
	m := notify.Message{
		ID: stableID(strings.Join([]string{x.Connection, x.Kind, x.Subject, state}, "\x00"), 0, int64(x.Since)), Ended: over,
		Connection: x.Connection, Kind: x.Kind, Subject: x.Subject, Since: x.Since.Time(), At: n.Now(), Title: title, Detail: x.Detail,
	}
	if n.PublicURL != "" {
		m.Link = n.PublicURL + "/"
		if x.Connection != "" {
			m.Link += "connections/" + x.Connection
		}
	}
	return m
}

// judge gives what is so now, with a sentence about each; nil: not known yet.
func (n *Notices) judge(ctx context.Context) (map[noticeKey]string, error) {
	seen := n.Watch.Seen()
	if seen == nil {
		return nil, nil
	}
	all, cfg := map[noticeKey]string{}, n.Registry.Config()
	for _, part := range []func(context.Context, *Config, map[noticeKey]string) error{n.failing, n.silent, n.drifting} {
		if err := part(ctx, cfg, all); err != nil {
			return nil, err
		}
	}
	for _, t := range n.Watch.Troubles() {
		if t.Kind != TroubleBehind {
			all[noticeKey{t.Connection, NoticeStuck, t.Kind}] = t.Words() + "."
		}
	}
	late := func(at lifecycle.Instant, after time.Duration) bool { return at != 0 && at.Add(after) <= seen.At }
	if late(seen.Oldest, BehindAfter) {
		all[noticeKey{"", NoticePiling, ""}] = "Raw events wait for a quarter of an hour or longer before they are processed. They are safe; add a worker."
	}
	for id, lane := range seen.Lanes {
		conn := cfg.Connections[id]
		if conn == nil || lane.Paused {
			continue
		}
		if conn.Destination() != nil && late(lane.PushDue, pilingAfter) {
			all[noticeKey{id, NoticePiling, ""}] = fmt.Sprintf("%d people or more wait, the first for half an hour or longer. Its rate limit may be lower than what changes.", lane.Waiting)
		}
		if lane.Flipping > 0 {
			all[noticeKey{id, NoticeFlipping, ""}] = fmt.Sprintf("%d people rest, since a field was overwritten there again and again after we wrote it. Something else writes the same field; see the deliveries that failed.", lane.Flipping)
		}
	}
	return all, nil
}

func (n *Notices) failing(ctx context.Context, cfg *Config, all map[noticeKey]string) error {
	deliveries, err := n.Store.Deliveries(ctx)
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		conn := cfg.Connections[d.Connection]
		if conn == nil || conn.Paused || conn.Destination() == nil || d.FailingSince == 0 || d.FailingSince <= d.OK || d.Failed < d.FailingSince.Add(failingAfter) {
			continue
		}
		all[noticeKey{d.Connection, NoticeFailing, ""}] = fmt.Sprintf("Nobody has arrived there since %s; the reason told last is %s. The deliveries show the vendor's own words.",
			d.FailingSince.Time().UTC().Format(time.RFC3339), d.Reason)
	}
	return nil
}

func (n *Notices) silent(ctx context.Context, cfg *Config, all map[noticeKey]string) error {
	if n.Now().Sub(n.begun) < silentWarmup {
		// What was silent before stays so, since it is not known.
		known, err := n.Store.Notices(ctx)
		for _, x := range known {
			if x.Kind == NoticeSilent && x.Gone == 0 {
				all[noticeKey{x.Connection, x.Kind, x.Subject}] = x.Detail
			}
		}
		return err
	}
	arrivals, hour, err := n.Store.Arrivals(ctx)
	if err != nil {
		return err
	}
	for id, hours := range arrivals {
		if cfg.Connections[id] == nil {
			continue
		}
		if quiet, habit, silent := silence(hours, hour); silent {
			all[noticeKey{id, NoticeSilent, ""}] = fmt.Sprintf("Nothing came for %d hours or longer; in the weeks before, %d events or more came within the same hours. Is its webhook still registered?", quiet, habit)
		}
	}
	return nil
}

func (n *Notices) drifting(ctx context.Context, cfg *Config, all map[noticeKey]string) error {
	reads, err := n.Store.Drifting(ctx, driftHabit, driftRun)
	if err != nil {
		return err
	}
	paths := map[noticeKey][]string{}
	for _, r := range reads {
		if conn := cfg.Connections[r.Connection]; conn != nil && conn.Connection.Rules == r.Version {
			key := noticeKey{r.Connection, NoticeDrifting, r.Rule}
			paths[key] = append(paths[key], r.Path)
		}
	}
	for _, key := range slices.Collect(maps.Keys(paths)) {
		all[key] = fmt.Sprintf("The rule %q reads %s, which used to be there and is missing in the raw events that came last. The vendor may have renamed it.", key.subject, strings.Join(paths[key], ", "))
	}
	return nil
}
