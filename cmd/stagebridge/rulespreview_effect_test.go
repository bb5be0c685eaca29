package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestTellBeyond(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		of   *jobs.PlanBeyond
		want string
	}{
		{"nothing", nil, ""},
		{"other guards, later", &jobs.PlanBeyond{Later: true, Identity: true},
			"\nfinishing the rollout for everybody also changes who is who: people may be joined and taken apart, which none of these figures foretell\n"},
		{"parked, and none fits", &jobs.PlanBeyond{Release: &jobs.PlanRelease{RawEvents: 1}},
			"\npublishing it also judges 1 raw event again that is parked for not fitting the plan; 0 of them would be taken\n"},
		{"parked, and some fit", &jobs.PlanBeyond{Release: &jobs.PlanRelease{RawEvents: 5, Taken: 3, Effect: jobs.RulesEffect{People: 2, Changed: 1, New: 1, Joined: 1,
			Stages: []jobs.StageFlow{{From: "Visit", To: "Reader", People: 1, Sample: []lifecycle.ProfileID{7}}, {Lifecycle: "course", To: "Open", People: 1}},
			Parts:  []jobs.SegmentSum{{Segment: "hot", Gained: 1, GainedSample: []lifecycle.ProfileID{7}}},
			Pushes: []jobs.PushFlow{{Connection: "crm", People: 2}}}}},
			`
publishing it also judges 5 raw events again that are parked for not fitting the plan; 3 of them would be taken
on top of the moves above, 2 people have other events by it, 1 of them another stage or other segments; 1 people are new
  Visit to Reader: 1           for example 7
  (none) to Open in course: 1  
  hot: 1 enter, 0 leave        for example 7
  crm: 2 people to push        
  1 events name several people, who may be joined; what that does is not foretold
  looked at the newest raw events that differ only
`},
	} {
		var out strings.Builder
		if err := tellBeyond(&out, tt.of); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
