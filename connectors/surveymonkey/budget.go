package surveymonkey

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
)

// minDaily is the least that an app may make a day.
const minDaily = 100

// newBudget gives pushes half of a day's requests, half of that at once and the
// rest over 24 hours; answers are read with the other half. It is kept by each
// process for itself, as a precaution: what SurveyMonkey counts decides.
func newBudget(daily int) *rate.Limiter {
	half := max(daily, minDaily) / 2
	return rate.NewLimiter(rate.Limit(float64(half)/2/(24*time.Hour).Seconds()), half/2)
}

// afford takes what the batch will cost from the budget. The error says when
// there is enough again; until then changes wait for each other, and travel
// together.
func (p *push) afford() error {
	open := p.open(func(*task) bool { return true })
	if len(open) == 0 {
		return nil
	}
	cost := 2
	for _, t := range open {
		switch {
		case t.byID:
			cost += 2
		case !p.c.cfg.Push.Create:
			cost += 3
		}
	}
	now := p.c.cfg.Now()
	r := p.c.budget.ReserveN(now, min(cost, p.c.budget.Burst()))
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return &connectors.PushError{
		Act: "surveymonkey: push", Reason: connectors.ReasonRateLimit, Retryable: true, RetryAfter: wait,
		Message: "pushes have used their part of the day's requests; the rest is kept for reading answers",
	}
}
