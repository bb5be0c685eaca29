package lifecycle

// ScoreAfter gives a score as it was after each effective event, in their order
// (see Effective), decisions included; nil where the plan has no score of the
// name. What time alone does between two events shows with the second one.
func (p *Plan) ScoreAfter(events []Event, name string) []int64 {
	s := p.score(name)
	if s == nil {
		return nil
	}
	r := p.start(NewProfile(0), 0)
	order := effective(events)
	values := make([]int64, len(order))
	for i, place := range order {
		e := &events[place]
		r.now = e.At
		r.absorb(e)
		sh := s.sheet(&r.view)
		values[i] = s.whole(&sh, e.At)
	}
	return values
}
