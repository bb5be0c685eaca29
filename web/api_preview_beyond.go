package web

import "github.com/stagebridge/stagebridge/jobs"

// planBeyondBody is what publishing a plan does besides what the matrix counts.
type planBeyondBody struct {
	// Later: not while it is rolled out to a share, but when that is finished.
	Later bool `json:"later"`
	// Identity: the guards of identity are others, people may be joined and taken
	// apart, and that is not foretold.
	Identity bool `json:"identity"`
	// Release is null where no parked raw event would be judged again.
	Release *planReleaseBody `json:"release"`
}

// planReleaseBody is what becomes of raw events parked for not fitting the plan.
type planReleaseBody struct {
	RawEvents int64 `json:"raw_events"`
	// Taken would fit; what they do to people comes on top of the matrix.
	Taken int64 `json:"taken"`
	// People have these events, of whom Changed get another stage or other
	// segments, and New are not there yet.
	People  int64 `json:"people"`
	Changed int64 `json:"changed"`
	New     int64 `json:"new_people"`
	// Joined events name several people, who may be joined; that is not foretold.
	Joined   int64             `json:"joining_events"`
	Flows    []flowBody        `json:"flows"`
	Segments []segmentFlowBody `json:"segments"`
	Pushes   map[string]int64  `json:"pushes"`
	// Whole is false where not all of them were looked at.
	Whole bool `json:"whole"`
}

func planBeyondOf(b *jobs.PlanBeyond) *planBeyondBody {
	if b == nil {
		return nil
	}
	body := &planBeyondBody{Later: b.Later, Identity: b.Identity}
	if b.Release == nil {
		return body
	}
	e := &b.Release.Effect
	r := &planReleaseBody{RawEvents: b.Release.RawEvents, Taken: b.Release.Taken, People: e.People, Changed: e.Changed, New: e.New, Joined: e.Joined,
		Flows: []flowBody{}, Segments: []segmentFlowBody{}, Pushes: map[string]int64{}, Whole: e.Whole}
	for _, f := range e.Stages {
		r.Flows = append(r.Flows, flowBody{f.Lifecycle, f.From, f.To, f.People, idsOf(f.Sample)})
	}
	for _, s := range e.Parts {
		r.Segments = append(r.Segments, segmentFlowBody{s.Segment, s.Gained, s.Lost, idsOf(s.GainedSample), idsOf(s.LostSample)})
	}
	for _, p := range e.Pushes {
		r.Pushes[p.Connection] = p.People
	}
	body.Release = r
	return body
}
