package jobs

import (
	"context"
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// measurable is how many people or raw events work must have had for its rate
// to say something.
const measurable = 100

// measuredRate is that of the last work of a kind that came to its end here;
// zero where none was measured.
func measuredRate(ctx context.Context, s *store.Store, kind string) (float64, error) {
	all, err := s.Works(ctx, store.WorkFilter{Kind: kind, State: store.WorkDone})
	if err != nil {
		return 0, err
	}
	for i := range all {
		if all[i].Done >= measurable && all[i].Rate > 0 {
			return all[i].Rate, nil
		}
	}
	return 0, nil
}

func lasts(n int64, rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / rate * float64(time.Second))
}

// PublishTime is how long bringing all people to the plan takes at PublishRate;
// zero where that is not known.
func (p *PlanPreview) PublishTime() time.Duration { return lasts(p.Total, p.PublishRate) }

// AtLeast is how long looking at all people takes at the pace of this preview;
// publishing, which writes as well, takes longer. Zero where there is nobody.
func (p *PlanPreview) AtLeast() time.Duration {
	if p.People == 0 {
		return 0
	}
	return time.Duration(float64(p.Took) * float64(p.Total) / float64(p.People))
}

// ReplayTime is how long the replay takes at ReplayRate; zero where that is not
// known. It takes longer than Took then, since it writes as well.
func (p *RulesPreview) ReplayTime() time.Duration { return lasts(p.RawEvents, p.ReplayRate) }
