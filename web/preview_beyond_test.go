package web_test

import (
	"strings"
	"testing"
)

// TestPreviewTellsWhatIsBeyond: that a plan changes who is who, and that it takes
// what was parked, is told by the API and on the page.
func TestPreviewTellsWhatIsBeyond(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	const plan = "name: ours\nstages:\n  - { name: Visit }\n  - { name: Reader, when: 'seen(\"Newsletter:Subscribed\")' }\n"
	publish := func(text string) {
		t.Helper()
		if a := l.api("PUT", "/plan", text); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		l.work()
	}
	publish("name: strict\nstages:\n  - { name: Visit }\nevents:\n  Order:Completed: somebody bought\ngovernance: { unplanned_event: quarantine }\n")
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "news", `{"email":"bo@example.com"}`)
	l.process()
	a := l.api("POST", "/plan/preview", plan)
	for _, part := range []string{`"publish_seconds":null,"publish_seconds_at_least":`, `"beyond":{"later":false,"identity":false,"release":{"raw_events":2,"taken":2,"people":1,"changed":1,"new_people":1,`,
		`"flows":[{"from":"","to":"Reader","people":1,"sample":[]},{"from":"Visit","to":"Reader","people":1,"sample":["1"]}]`} {
		if !strings.Contains(a.Body, part) {
			t.Errorf("%q is not in %d %s", part, a.Status, a.Body)
		}
	}
	if a := l.api("POST", "/plan/preview?percent=5", plan+"identity: { most_keys: 3 }\n"); !strings.Contains(a.Body, `"beyond":{"later":true,"identity":true,"release":{"raw_events":2`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := l.api("POST", "/plan/preview?all=true", plan); a.Status != 202 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	asked := l.post("/plan", "source", plan+"identity: { most_keys: 3 }\n", "version", "1", "preview", "yes")
	l.work()
	l.has("the page", l.follow(asked), "Publishing was not measured here yet", "It changes who is who: people may be joined and taken apart.",
		"2 raw events that are parked for not fitting the plan would be judged again, and 2 of them taken.", "1 person has other events by it", `<a href="/people/1">1</a>`)
	publish(plan)
	l.process()
	if a := l.api("GET", "/profiles?stage=Reader", ""); strings.Count(a.Body, `"stage":"Reader"`) != 2 {
		t.Errorf("what was foretold did not happen: %s", a.Body)
	}
	if a := l.api("POST", "/plan/preview", plan); !strings.Contains(a.Body, `"beyond":null`) {
		t.Errorf("nothing is beyond: %s", a.Body)
	}
}
