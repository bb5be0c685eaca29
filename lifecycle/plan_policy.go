package lifecycle

import (
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// defaultRevenue is what counts as revenue where a plan does not say: money
// for orders, subscriptions and deals, and not the payment of each a second
// time.
func defaultRevenue() []EventName {
	return []EventName{"Order:Completed", "Order:Refunded", "Subscription:Started", "Subscription:Renewed", "Deal:Won"}
}

func (d *planReader) revenue() {
	if !d.r.Has("revenue") {
		d.p.revenue = defaultRevenue()
		return
	}
	seen := map[EventName]bool{}
	for _, name := range d.r.Texts("revenue") {
		if seen[EventName(name)] {
			d.r.Fail("revenue", "names %q twice, which would count it twice", cutText(name, 80))
		}
		seen[EventName(name)] = true
		if len(d.p.revenue) == MaxPlanEvents {
			d.r.Fail("revenue", "is too long; the limit is %d", MaxPlanEvents)
			return
		}
		d.p.revenue = append(d.p.revenue, EventName(name))
	}
}

// claims reads the rules per connection: a mode alone, or mode and for.
func (d *planReader) claims() {
	d.r.Entries("claims", func(connection string, r *document.Reader) {
		if len(d.p.claims) == MaxSegments {
			d.fullUp(r, "claim rule", MaxSegments)
			return
		}
		rule := claimRule{connection: connection}
		checkPattern(r, connection)
		if r.Kind("") == document.Text {
			rule.mode = readMode(r, "")
			d.p.claims = append(d.p.claims, rule)
			return
		}
		rule.mode = readMode(r, "mode")
		if r.Has("for") {
			rule.span = window(r, "for", r.Text("for"))
			if rule.mode != claimHold {
				r.Fail("for", "belongs to mode hold; other modes have no duration")
			}
		}
		r.Unknown()
		d.p.claims = append(d.p.claims, rule)
	})
}

func readMode(r *document.Reader, field string) claimMode {
	name := r.Text(field)
	for mode, known := range claimModes {
		if name == known {
			return claimMode(mode)
		}
	}
	if name != "" {
		r.Fail(field, "is %q, want ignore, advance or hold", cutText(name, 80))
	}
	return claimIgnore
}

// backOf reads the policies for moves back of the lifecycle that the reader
// stands on.
func (d *planReader) backOf(r *document.Reader) {
	t := d.t
	r.List("back", func(r *document.Reader) {
		if len(t.back) == MaxSegments {
			d.fullUp(r, "back rule", MaxSegments)
			return
		}
		rule := backRule{from: t.pathBits(r, "from"), to: t.pathBits(r, "to")}
		policy := r.Text("policy")
		span, isAfter := strings.CutPrefix(policy, "after ")
		switch {
		case isAfter:
			rule.policy, rule.span = backAfter, window(r, "policy", strings.TrimSpace(span))
		case policy == "allow":
		case policy == "forbid":
			rule.policy = backForbid
		case policy != "":
			r.Fail("policy", "is %q, want allow, forbid or after with a duration, as in after 14d", cutText(policy, 80))
		}
		r.Unknown()
		t.back = append(t.back, rule)
	})
}

func window(r *document.Reader, field, text string) Instant {
	if text == "" {
		return 0
	}
	span, err := ParseWindow(text)
	if err != nil {
		r.Fail(field, "%s", err)
	}
	return Instant(span / time.Microsecond)
}
