package live

import (
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// What the counters of this package's other reports read of people, where that
// is not everything.

// subscriptionEvents are all that tell of subscriptions.
func subscriptionEvents() []lifecycle.EventName {
	return []lifecycle.EventName{"Subscription:Started", "Subscription:Renewed", "Subscription:Resumed", "Subscription:Upgraded",
		"Subscription:Downgraded", "Subscription:Paused", "Subscription:Canceled"}
}

// wanted joins lists of events.
func wanted(moves bool, lists ...[]lifecycle.EventName) summary.Want {
	w := summary.Want{Moves: moves}
	for _, l := range lists {
		w.Events = append(w.Events, l...)
	}
	return w
}

func (c *conversionCounter) want() summary.Want { return summary.Want{Moves: true} }

func (c *churnCounter) want() summary.Want {
	if c.o.Basis == BasisStage {
		return summary.Want{Moves: true}
	}
	return wanted(false, c.o.Events, subscriptionEvents())
}

func (c *economicsCounter) want() summary.Want {
	return wanted(c.o.Basis == BasisStage, c.o.Events, subscriptionEvents())
}

func (c *mrrCounter) want() summary.Want      { return wanted(false, subscriptionEvents()) }
func (c *contractCounter) want() summary.Want { return wanted(false, subscriptionEvents()) }

func (a *activity) want() summary.Want {
	w := summary.Want{}
	for name := range a.names {
		w.Events = append(w.Events, name)
	}
	return w
}

// want asks for every event only where the first one of any kind counts.
func (c *sales) want() summary.Want {
	if c.o.Start == FromFirstTouch {
		return summary.Want{AllEvents: true}
	}
	return wanted(false, []lifecycle.EventName{dealCreated, "Deal:Advanced", dealWon, dealLost, leadCreated}, c.o.Won)
}

func (c *speedCounter) want() summary.Want {
	if c.o.Score != 0 {
		return summary.Want{AllEvents: true} // any event may tell of a score
	}
	return wanted(false, []lifecycle.EventName{leadCreated, leadContacted})
}

func (c *attributionCounter) want() summary.Want {
	return wanted(false, c.touches.events, c.won, []lifecycle.EventName{leadCreated})
}

func (c *contentCounter) want() summary.Want {
	w := wanted(true, c.touches.events, c.won)
	w.Categories = []string{contentCategory}
	return w
}

func (c *contactCounter) want() summary.Want { return wanted(true, c.events) }

func (c *ticketCounter) want() summary.Want {
	return wanted(true, []lifecycle.EventName{"Ticket:Opened", "Ticket:Solved", "Ticket:Reopened", "Ticket:Rated"})
}

func (c *surveyCounter) want() summary.Want {
	return wanted(true, []lifecycle.EventName{"Survey:Answered"})
}

func (c *precedesCounter) want() summary.Want { return summary.Want{AllEvents: true, Moves: true} }
