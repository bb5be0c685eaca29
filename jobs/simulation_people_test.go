package jobs_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// simulatedStart is when the two years begin.
var simulatedStart = time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)

// telling is one raw event on its way: what it says, when it arrives, and
// whether it came before its time and waits for it.
type telling struct {
	bruteEvent
	who         int
	user, email bool // which keys it names
	arrives     int64
	raw         store.NewEvent
	held        bool
}

// simulatedRules map every name as it is told; the bodies hold the rest.
func simulatedRules() string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for _, name := range slices.Compact(slices.Sorted(slices.Values(simulatedNames))) {
		fmt.Fprintf(&b, "  - name: %[1]s\n    type: %[1]q\n    emit:\n      event: %[1]q\n      key: body.key\n      stage: body.stage\n", name)
		b.WriteString("      identity: { user: body.user, email: body.email }\n      traits: { lead_score: body.lead_score, plan: body.plan, vip: body.vip, clv: body.clv, renews_at: body.renews_at }\n")
		b.WriteString("      value: { amount: body.amount, currency: body.currency }\n")
	}
	return b.String()
}

// simulatePeople makes what happens to people in the two years, in the order
// of arrival: some of it late, some before its time, some told twice.
func simulatePeople(r *rand.Rand, people int, windows []int64, end int64) []*telling {
	var all []*telling
	for who := range people {
		all = append(all, simulatePerson(r, who, windows, end)...)
	}
	slices.SortStableFunc(all, func(a, b *telling) int { return cmp.Compare(a.arrives, b.arrives) })
	return all
}

const (
	minute = int64(time.Minute / time.Microsecond)
	day    = 24 * 60 * minute
)

func simulatePerson(r *rand.Rand, who int, windows []int64, end int64) []*telling {
	start := simulatedStart.UnixMicro()
	at := start + r.Int64N(end-start-30*day)
	oneKey := r.IntN(10) < 4
	var all []*telling
	for n := 3 + r.IntN(70); n > 0 && at < end; n-- {
		e := &telling{who: who}
		e.at, e.name, e.connection = at, simulatedNames[r.IntN(len(simulatedNames))], []string{"crm", "shop"}[r.IntN(2)]
		e.user, e.email = true, false
		if !oneKey {
			keys := r.IntN(10)
			e.user, e.email = keys < 6, keys >= 5
		}
		e.describe(r)
		e.arrival(r, end)
		e.seal(len(all))
		all = append(all, e)
		switch {
		case r.IntN(14) == 0: // told twice by the same tool
			again := *e
			again.arrives = min(again.arrives+1+r.Int64N(40*day), end)
			all = append(all, &again)
		case e.key != "" && r.IntN(4) == 0: // and by another tool, at another time
			all = append(all, e.toldByTheOther(r, end, len(all)))
		}
		at = nextTime(r, at, all, windows)
	}
	return all
}

// nextTime is mostly some time later: in the same visit, on another day, or
// after a silence. Now and then it is at the very same instant, or to the
// microsecond where a window of an earlier event ends.
func nextTime(r *rand.Rand, at int64, all []*telling, windows []int64) int64 {
	switch r.IntN(20) {
	case 0:
		return at
	case 1, 2, 3:
		e := all[r.IntN(len(all))]
		if edge := e.at + windows[r.IntN(len(windows))] + r.Int64N(3) - 1; edge > at {
			return edge
		}
		return at + 1
	case 4, 5, 6, 7, 8:
		return at + r.Int64N(60*minute)
	case 9, 10:
		return at + 20*day + r.Int64N(100*day)
	}
	return at + r.Int64N(10*day)
}

// describe gives an event what it tells beside its name.
func (e *telling) describe(r *rand.Rand) {
	if simulatedKeyed[e.name] {
		e.key = fmt.Sprintf("k%d", r.IntN(40))
	}
	if (e.name == "Order:Completed" || e.name == "Order:Refunded" || e.name == "Deal:Won") && r.IntN(8) > 0 {
		e.micros = int64(r.IntN(40000)) * 10000
		e.currency = []string{"EUR", "EUR", "USD", "GBP"}[r.IntN(4)]
		if e.name == "Order:Refunded" {
			e.micros = -e.micros / 8 / 10000 * 10000
		}
	}
	if e.name == "Stage:Claimed" {
		e.claim = simulatedStages[r.IntN(len(simulatedStages))]
	}
	if e.name != "Contact:Updated" && r.IntN(12) > 0 {
		return
	}
	e.traits = map[string]any{}
	for _, name := range []string{"lead_score", "plan", "vip", "clv", "renews_at"} {
		if r.IntN(2) > 0 {
			continue
		}
		switch name {
		case "plan":
			e.traits[name] = []any{"trial", "trial", "pro", "paused", "paused", nil}[r.IntN(6)]
		case "vip":
			e.traits[name] = []any{true, true, false, nil}[r.IntN(4)]
		case "renews_at":
			e.traits[name] = simulatedDate(r, e.at)
		case "lead_score":
			score := r.IntN(100)
			e.traits[name] = []any{float64(score), float64(score), fmt.Sprint(score), nil, "high"}[r.IntN(5)]
		default:
			e.traits[name] = float64(r.IntN(2000))
		}
	}
}

// simulatedDate is a date near an instant in one of the forms that tools send,
// now and then at a midnight, and sometimes none.
func simulatedDate(r *rand.Rand, at int64) any {
	t := time.UnixMicro(at + r.Int64N(160*day) - 40*day).UTC().Truncate(time.Second)
	if r.IntN(4) == 0 {
		t = t.Truncate(24 * time.Hour).Add(-time.Duration(r.IntN(3)) * time.Hour)
	}
	switch r.IntN(8) {
	case 0, 1:
		return t.Format(time.RFC3339)
	case 2:
		return t.In(time.FixedZone("", 19800)).Format(time.RFC3339Nano)
	case 3, 4:
		return t.Format(time.DateOnly)
	case 5:
		return float64(t.Unix())
	case 6:
		return fmt.Sprint(t.UnixMilli())
	}
	return []any{"soon", nil}[r.IntN(2)]
}

// arrival is soon after the event, late by up to a year, or before its time.
func (e *telling) arrival(r *rand.Rand, end int64) {
	e.arrives = e.at + r.Int64N(10*minute)
	switch n := r.IntN(100); {
	case n < 8:
		e.arrives = e.at + r.Int64N(3*day)
	case n < 12:
		e.arrives = e.at + r.Int64N(60*day)
	case n < 13:
		e.arrives = e.at + r.Int64N(365*day)
	case n < 16:
		e.arrives = e.at - r.Int64N(8*minute)
	case n < 19:
		e.arrives = e.at - r.Int64N(45*day)
	}
	e.arrives = min(e.arrives, end)
}

// toldByTheOther is the same fact told by the other connection.
func (e *telling) toldByTheOther(r *rand.Rand, end int64, serial int) *telling {
	o := *e
	o.connection = map[string]string{"crm": "shop", "shop": "crm"}[e.connection]
	if r.IntN(3) > 0 {
		o.at += r.Int64N(2*day) - day
	}
	o.micros = -o.micros // whose value counts must be told apart
	o.arrival(r, end)
	o.seal(serial)
	return &o
}

// seal makes the raw event, whose dedupe key gives the event its id.
func (e *telling) seal(serial int) {
	body := map[string]any{"serial": serial}
	for name, v := range e.traits {
		body[name] = v
	}
	if e.user {
		body["user"] = fmt.Sprintf("u%d", e.who)
	}
	if e.email {
		body["email"] = fmt.Sprintf("p%d@example.com", e.who)
	}
	if e.key != "" {
		body["key"] = e.key
	}
	if e.claim != "" {
		body["stage"] = e.claim
	}
	if e.currency != "" {
		sign, cents := "", e.micros/10000
		if cents < 0 {
			sign, cents = "-", -cents
		}
		body["amount"], body["currency"] = fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100), e.currency
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // nothing in it can fail
	}
	dedupe := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d %s", e.connection, e.who, serial, e.at, b))
	kept := sha256.Sum256(append(append([]byte(e.connection), 0), dedupe[:]...)) // the store adds the connection, and keeps half
	id := lifecycle.NewEventID(e.connection, kept[:16], 0)
	e.id = string(id[:])
	e.raw = store.NewEvent{Dedupe: dedupe, Type: e.name, At: lifecycle.Instant(e.at), Body: b}
}
