package lifecycle

// Via says what shows a stage.
type Via string

// The ways, in the order in which they count.
const (
	ViaPin   Via = "pin"
	ViaClaim Via = "claim"
	ViaSide  Via = "side" // a side stage whose condition is true
	ViaPath  Via = "path" // the path stage reached
	// ViaKept stands for a stage that only stays because a policy forbids the
	// move back or holds it up.
	ViaKept Via = "kept"
)

// decision is where a person belongs at an instant.
type decision struct {
	path  int   // place of the path stage reached
	stage Stage // to show
	via   Via
	why   string  // the text behind it
	next  Instant // the earliest instant at which this can change by time alone
	held  bool    // a policy kept what was to be shown from being so
	// a move back that a policy holds up, and since when it has been due
	fallTo    Stage
	fallSince Instant
}

// decide finds where a person belongs at r.now. It changes nothing.
func (r *run) decide(c *course) decision {
	d := decision{path: c.path, next: never}
	if c.away {
		d.via = ViaPath
		r.decidePin(c, &d)
		return d
	}
	stages := c.track.path
	for i := len(stages) - 1; i > c.path; i-- {
		ok, next := stages[i].eval(&r.view)
		if ok {
			d.path = i
			break
		}
		d.next = min(d.next, next)
	}
	if !r.decidePin(c, &d) && !r.decideClaim(c, &d) && !r.decideSide(c, &d) {
		d.via = ViaPath
		if d.path >= 0 {
			d.stage, d.why = stages[d.path].name, stages[d.path].text
		}
	}
	if d.via != ViaPin {
		r.holdBack(c, &d)
	}
	return d
}

func (r *run) decidePin(c *course, d *decision) bool {
	pin := &c.at.pin
	if !pin.live(r.now) || c.stage(pin.Stage) == nil {
		return false
	}
	d.stage, d.via, d.why = pin.Stage, ViaPin, "pin"
	if pin.Reason != "" {
		d.why = "pin: " + pin.Reason
	}
	if pin.Until != 0 {
		d.next = min(d.next, pin.Until)
	}
	return true
}

// decideClaim takes the live claim that comes first. Claims are about the main
// lifecycle.
func (r *run) decideClaim(c *course, d *decision) bool {
	if c.id != "" {
		return false
	}
	best := r.firstClaim()
	if best == nil {
		return false
	}
	d.stage, d.via, d.why = best.Stage, ViaClaim, claimReason(best.Connection)
	d.next = min(d.next, r.plan.Until(*best))
	return true
}

// firstClaim is the live claim of the first rule that has one; of several
// connections under one rule the newest claim counts. Nil for none.
func (r *run) firstClaim() *Claim {
	var best *Claim
	rank := len(r.plan.claims)
	for i := range r.prof.claims {
		c := &r.prof.claims[i]
		if r.now >= r.plan.Until(*c) || r.plan.stage(c.Stage) == nil {
			continue
		}
		if rule := r.plan.claimRule(c.Connection); rule < rank || rule == rank && best.before(c) {
			best, rank = c, rule
		}
	}
	return best
}

func claimReason(connection string) string { return "claim by " + connection }

// decideSide takes the first side stage that is true where the person is.
func (r *run) decideSide(c *course, d *decision) bool {
	for _, s := range c.sides {
		if s.from != anywhere && (d.path < 0 || s.from&(1<<d.path) == 0) {
			continue
		}
		in, since := c.shown(s)
		ok, next := s.holds(&r.view, in, since)
		d.next = min(d.next, next)
		if ok {
			d.stage, d.via, d.why = s.name, ViaSide, s.text
			return true
		}
	}
	return false
}

// holdBack applies the policies for moves back. Path stages are latched, so a
// move back along the path always comes from a claim, or from a claim or pin
// that has ended. Where a side stage is shown, the path stage held before it is
// what counts: a detour through a side stage opens no way back. What is kept is
// what would be shown without the claim, so side stages go on to come and go.
func (r *run) holdBack(c *course, d *decision) {
	if len(c.back) == 0 || d.stage == c.at.Stage {
		return
	}
	from, to := c.held(), c.PathIndex(d.stage)
	if from < 0 || to >= from || to < 0 && d.stage != "" {
		return
	}
	policy, span := c.backRuleFor(from, to)
	switch policy {
	case backAllow:
		return
	case backAfter:
		since := r.now
		if c.at.fallSince != 0 && c.at.fallTo == d.stage {
			since = c.at.fallSince
		}
		due := since.after(span)
		if r.now >= due {
			return
		}
		d.fallTo, d.fallSince = d.stage, since
		d.next = min(d.next, due)
	}
	d.held = true
	if d.via == ViaClaim && r.decideSide(c, d) {
		return
	}
	d.stage, d.via, d.why = c.track.path[from].name, ViaKept, "kept by a back policy"
}

// held is the place of the path stage that the person holds, be it behind a side
// stage; -1 for none.
func (c *course) held() int {
	if place := c.PathIndex(c.at.Stage); place >= 0 || c.at.Stage == "" {
		return place
	}
	return c.PathIndex(c.at.position)
}

// conflict says why a claim is not shown, given what else could be the reason.
func (d *decision) conflict(otherwise ConflictReason) ConflictReason {
	if otherwise != ConflictOutranked {
		return otherwise
	}
	switch {
	case d.via == ViaPin:
		return ConflictPinned
	case d.held:
		return ConflictBack
	}
	return otherwise
}
