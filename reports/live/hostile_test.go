package live

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// everything is all the stories of the other tests in one, of different people.
func everything(t *testing.T) []summary.Person {
	t.Helper()
	var all []summary.Person
	for i, story := range []string{conversionStory, churnStory, salesStory, speedStory, mrrStory, touchStory, contentStory, liftStory(), ticketStory} {
		people := told(t, story)
		for j := range people {
			people[j].ID += lifecycle.ProfileID(1000 * i)
		}
		all = append(all, people...)
	}
	return all
}

// The order in which people are looked at changes nothing.
func TestOrderOfPeople(t *testing.T) {
	t.Parallel()
	people := everything(t)
	backwards := slices.Clone(people)
	slices.Reverse(backwards)
	for _, info := range Reports() {
		if info.Name == "clv" {
			continue // fitted numerically
		}
		for _, text := range []string{"", "from:2026-01-01 to:2026-04-01 unit:week group:won currency:EUR rates:USD=0.9 start:lead"} {
			one, err := json.Marshal(answer(t, info.Name, text, people))
			if err != nil {
				t.Fatalf("%s: %v", info.Name, err)
			}
			two, err := json.Marshal(answer(t, info.Name, text, backwards))
			if err != nil {
				t.Fatal(err)
			}
			if string(one) != string(two) {
				t.Errorf("%s %s differs:\n%s\n%s", info.Name, text, one, two)
			}
		}
	}
}

// Nobody, somebody without anything, and a workspace whose end is its beginning.
func TestEmptyWorkspace(t *testing.T) {
	t.Parallel()
	for _, info := range Reports() {
		for _, text := range []string{"", "from:2026-06-01 to:2026-06-01", "unit:day from:1990-01-01", "to:1980-01-01", "basis:stage stages:Customer group:won score:50 spend:5"} {
			for _, people := range [][]summary.Person{nil, {{ID: 7}}} {
				r := answer(t, info.Name, text, people)
				body, err := json.Marshal(r)
				if err != nil {
					t.Fatalf("%s %s: %v", info.Name, text, err)
				}
				if r.Definition == "" || len(r.Tables) == 0 || r.Data == nil {
					t.Errorf("%s %s: %s", info.Name, text, body)
				}
				for _, wrong := range []string{"NaN", "Inf", "%!"} {
					if strings.Contains(string(body), wrong) {
						t.Errorf("%s %s says %s: %s", info.Name, text, wrong, body)
					}
				}
			}
		}
	}
}

// What senders can put into names, scores, amounts and times ends no report.
func TestHostileHistories(t *testing.T) {
	t.Parallel()
	nasty := []string{"", "=1+1", "<script>", "\x00", "\xff", "a, b", strings.Repeat("x", 300), "9e999", "-1", "NaN"}
	names := []lifecycle.EventName{"Order:Completed", dealCreated, dealWon, dealLost, leadCreated, leadContacted, defaultTouch, "Content:Viewed", "Survey:Answered",
		"Subscription:Started", "Subscription:Renewed", "Subscription:Paused", "Subscription:Canceled", "Subscription:", "Ticket:Opened", "Ticket:Solved", "Ticket:Rated", "Meeting:Booked", ""}
	times := []lifecycle.Instant{math.MinInt64, -1, 0, 1, at(t, "2026-01-01"), at(t, "2026-02-01"), math.MaxInt64}
	var people []summary.Person
	for i, when := range times {
		p := summary.Person{ID: lifecycle.ProfileID(i + 1), Source: nasty[i]}
		for j, name := range names {
			for k, text := range nasty {
				e := summary.Event{Name: name, At: when, Connection: text, Key: uint64(k % 2)}
				if k%2 == 0 {
					e.Amount = lifecycle.Money{Micros: []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}[(j+k)%5], Currency: []string{"EUR", "=1", "\xff"}[k%3]}
				}
				for _, property := range summary.Properties() {
					e.Properties = append(e.Properties, summary.Property{Name: property, Value: text})
				}
				p.Events = append(p.Events, e)
			}
		}
		for _, text := range nasty {
			p.Moves = append(p.Moves, summary.Move{Stage: lifecycle.Stage(text), At: when}, summary.Move{Stage: "Customer", At: when})
			p.Traits = append(p.Traits, summary.Trait{Name: text, Value: text})
		}
		people = append(people, p)
	}
	for _, info := range Reports() {
		for _, text := range []string{"", "unit:day from:2025-12-01 to:2026-03-01 group:won currency:EUR rates:USD=0.9 score:50 hours:9-17", "basis:stage stages:Customer start:first_touch lookback:1"} {
			if info.Name == "concentration" || info.Name == "clv" || info.Name == "rfm" {
				continue // of amounts that do not add up these say so with an error
			}
			body, err := json.Marshal(answer(t, info.Name, text, people))
			if err != nil {
				t.Fatalf("%s %s: %v", info.Name, text, err)
			}
			if strings.Contains(string(body), "%!") {
				t.Errorf("%s %s: %s", info.Name, text, body)
			}
		}
	}
}
