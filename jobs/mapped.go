package jobs

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// eventErasure opens a request for erasure; see the vocabulary.
const eventErasure = "Privacy:ErasureRequested"

// aheadTolerance is how far before its time an event is applied: clocks of
// vendors differ. Others wait for their time.
const aheadTolerance = 5 * time.Minute

// mapped is what one raw event became.
type mapped struct {
	outcome store.Outcome
	events  []lifecycle.Event
	// hold, when not zero, is when the row may be processed.
	hold    lifecycle.Instant
	written []store.LedgerEntry
	// out is what the rules made, found what of it does not fit the plan.
	out   mapping.Output
	found []finding
	// erased counts events that were left out, since they name somebody erased.
	erased int
}

// mapRow turns a raw event into canonical ones, or says why not. Nothing here
// can fail the batch: whatever is wrong with a row is that row's outcome.
func mapRow(cfg *Config, row *store.Row, now lifecycle.Instant) mapped {
	m := mapAnybody(cfg, row, now)
	m.forgetErased(cfg.Blocks, row)
	return m
}

// mapAnybody is mapRow before what names erased people is parked or ignored.
func mapAnybody(cfg *Config, row *store.Row, now lifecycle.Instant) mapped {
	meta := ParseMeta(row.Meta)
	conn := cfg.Connections[row.Connection]
	switch {
	case row.Flag == store.FlagBroken:
		return parked("decode", "malformed", meta.Broken)
	case row.Flag == store.FlagEcho:
		return mapped{outcome: store.Outcome{Status: store.Ignored, Reason: store.ReasonEcho, Detail: meta.Echo}}
	case conn == nil:
		return parked("map", "no_connection", "the connection was removed before this was processed")
	case conn.Rules == nil:
		return parked("map", "rules_invalid", errors.Join(conn.Err, conn.RulesErr).Error())
	}
	body, err := mapping.Decode(meta.Format, row.Body)
	if err != nil {
		return parked("decode", "malformed", err.Error())
	}
	in := inputOf(row, &meta, body)
	out := conn.Rules.Apply(&in)
	if len(out.Matched) == 0 && row.Type == TypeListed && conn.listed != nil {
		out = conn.listed.Apply(&in)
	}
	m := mapped{outcome: store.Outcome{Status: store.Done, Rule: strings.Join(out.Matched, ",")}, events: out.Events, out: out}
	for _, f := range meta.Written {
		m.written = append(m.written, store.LedgerEntry{Connection: row.Connection, Record: f.Record, Field: f.Name, Value: f.Value})
	}
	switch {
	case errors.Is(out.Err, mapping.ErrNoIdentity):
		return parked("identify", "no_identity", out.Err.Error())
	case out.Err != nil:
		return parked("map", "expression", out.Err.Error())
	case len(out.Matched) == 0:
		m.outcome.Status, m.outcome.Reason = store.Ignored, "unmatched"
	case len(out.Events) == 0:
		m.outcome.Status, m.outcome.Reason = store.Ignored, "nothing_emitted"
	}
	if meta.Public {
		m.restrict(&cfg.Guards)
	}
	m.check(cfg, row, now)
	return m
}

// inputOf is what rules see of a raw event.
func inputOf(row *store.Row, meta *Meta, body any) mapping.Input {
	return mapping.Input{
		Type: row.Type, Body: body, Headers: meta.Headers, At: row.At, Received: row.Received, Dedupe: row.Dedupe,
		RecordAt: row.RecordAt, RecordJSON: row.Record,
	}
}

// restrict takes from the events what only a proved sender may say: that two
// known people are one, which stage a person has, that somebody is to be erased.
func (m *mapped) restrict(guards *lifecycle.Guards) {
	for i := range m.events {
		e := &m.events[i]
		e.Identity, e.Claim = guards.Public(e.Identity), ""
		if e.Name == eventErasure {
			*m = mapped{outcome: store.Outcome{Status: store.Ignored, Reason: "not_proved", Detail: "a sender that is not proved cannot ask for erasure"}}
			return
		}
	}
}

// check holds the row's events against plan, guards and clock. A row is all or
// nothing: what stops one of its events stops the row.
func (m *mapped) check(cfg *Config, row *store.Row, now lifecycle.Instant) {
	for i := range m.events {
		e := &m.events[i]
		if cfg.Blocks.drops(e) {
			m.erased++
			continue
		}
		e.Inbox, e.Connection = row.ID, row.Connection
		canonical(e)
		lifecycle.WithAccountTraits(e)
		if len(cfg.Guards.Usable(e.Identity)) == 0 {
			*m = parked("identify", "no_identity", string(e.Name)+" names nobody that can be told apart (its keys are empty or blocked)")
			return
		}
		if found := cfg.Plan.Judge(e); found != nil {
			m.judge(e, found, m.out.Rule(i))
		}
		if e.At > now.Add(aheadTolerance) {
			m.hold = max(m.hold, e.At)
		}
	}
	m.dropErased(cfg.Blocks)
	m.govern()
}

func parked(step, reason, detail string) mapped {
	return mapped{outcome: store.Outcome{Status: store.Failed, Step: step, Reason: reason, Detail: detail}}
}

// usableKeys gives the sorted, distinct texts of all keys of the events.
func usableKeys(guards *lifecycle.Guards, events []*lifecycle.Event) []string {
	keys := make([]string, 0, 2*len(events))
	for _, e := range events {
		for _, k := range concerned(guards, e) {
			keys = append(keys, k.String())
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// concerned are the usable keys that an event is about: for a decision to part
// people also those that are to be apart.
func concerned(guards *lifecycle.Guards, e *lifecycle.Event) []lifecycle.Key {
	keys := guards.Usable(e.Identity)
	if e.DecidesIdentity() {
		keys = slices.Concat(keys, guards.Usable(e.Edge().Apart))
	}
	return keys
}
