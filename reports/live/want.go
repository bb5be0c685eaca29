package live

import "github.com/stagebridge/stagebridge/reports/summary"

// What counters read of people, where that is not everything: what nobody
// wants is not unpacked.

func (c *clvCounter) want() summary.Want {
	return summary.Want{Events: append(c.o.Events[:len(c.o.Events):len(c.o.Events)], subscribed)}
}

func (c *cohortCounter) want() summary.Want        { return summary.Want{Events: c.o.Events} }
func (c *concentrationCounter) want() summary.Want { return summary.Want{Events: c.o.Events} }
func (c *rfmCounter) want() summary.Want           { return summary.Want{Events: c.o.Events} }
func (c *funnelCounter) want() summary.Want        { return summary.Want{Moves: true} }
func (c *stayCounter) want() summary.Want          { return summary.Want{Moves: true} }
