package live

import (
	"testing"

	"github.com/stagebridge/stagebridge/reports/stats"
)

// 1 comes through ads 14 days before, news 10, ads 7, search 3 and on the day
// (direct) of an order of 100 euro; the lead was created with the first news.
// 2 comes through news 100 days before, which is too early, and buys for 10
// dollars. Deal z of 3 and 4 has a touch of each: 3 through ads, 4 through news
// after it.
const touchStory = `
1 2026-03-01 Campaign:Touched source=ads medium=cpc
1 2026-03-05 Campaign:Touched source=news medium=email
1 2026-03-05T01:00 Lead:Created
1 2026-03-08 Campaign:Touched source=ads medium=cpc
1 2026-03-12 Campaign:Touched source=search medium=organic
1 2026-03-15 Campaign:Touched source=(direct) medium=(none)
1 2026-03-15 Order:Completed 100 EUR
2 2025-12-10 Campaign:Touched source=news
2 2026-03-20 Order:Completed 10 USD @shop
3 2026-03-01 Campaign:Touched source=ads
3 2026-03-10 Deal:Won 50 EUR deal=z
4 2026-03-02 Campaign:Touched source=news
4 2026-03-10 Deal:Won 50 EUR deal=z
`

func TestAttribution(t *testing.T) {
	t.Parallel()
	people := told(t, touchStory)
	r := answer(t, "attribution", "", people)
	got := map[string]map[stats.Model]int64{}
	sums := map[string]map[stats.Model]int64{}
	for _, l := range r.Data.([]Credited) {
		got[l.Currency+l.Touch] = l.Credit
		for m, n := range l.Credit {
			if sums[l.Currency] == nil {
				sums[l.Currency] = map[stats.Model]int64{}
			}
			sums[l.Currency][m] += n
		}
	}
	// Three conversions, 150 euro and 10 dollars, to the last billionth and micro.
	for _, m := range models() {
		if sums[""][m] != 3*stats.Whole || sums["EUR"][m] != 150e6 || sums["USD"][m] != 10e6 {
			t.Errorf("%s: sums %d, %d, %d", m, sums[""][m], sums["EUR"][m], sums["USD"][m])
		}
	}
	share := func(touch string, m stats.Model, want float64) {
		t.Helper()
		if x := float64(got[touch][m]) / float64(stats.Whole); !near(x, want, 0.00011) {
			t.Errorf("%s by %s: %.4f, want %.4f", touch, m, x, want)
		}
	}
	share("ads", stats.FirstTouch, 2) // of 1 and of the deal
	share("(direct)", stats.LastTouch, 1)
	share("search", stats.LastNonDirect, 1)
	share("ads", stats.Linear, 0.4+0.5)
	share("news", stats.Linear, 0.2+0.5)
	// 14, 10, 7, 3 and 0 days before, with a half-life of seven days.
	share("search", stats.TimeDecay, 0.2594)
	share("(direct)", stats.TimeDecay, 0.3491)
	share("(direct)", stats.UShaped, 0.4)
	share("search", stats.UShaped, 0.2/3)
	share("ads", stats.UShaped, 0.4+0.2/3+0.5)
	// The lead came with news: 30 %, and 10 % shared by ads and search.
	share("search", stats.WShaped, 0.05)
	share("no touch", stats.Linear, 1)
	if x := got["EURads"][stats.FirstTouch]; x != 150e6 {
		t.Errorf("euro of ads, first: %d", x)
	}
	noted(t, r, "1 of 3 conversions have no touch")
	noted(t, r, "touches count within 90 days")
	if row := rowOf(t, r, "Conversions", "ads"); row[1] != "2.000" {
		t.Errorf("%v", row)
	}
	r = answer(t, "attribution", "lookback:365 by:medium won:Order:Completed currency:EUR rates:USD=0.5", people)
	if row := rowOf(t, r, "Revenue, EUR", "(none)"); row[1] != "5.00" || row[2] != "105.00" {
		t.Errorf("in euro: %v", row)
	}
	r = answer(t, "attribution", "connection:shop", people)
	if row := rowOf(t, r, "Conversions", "no touch"); row[1] != "1.000" {
		t.Errorf("of the shop: %v", row)
	}
}

func TestAttributionOfTooManyTouches(t *testing.T) {
	t.Parallel()
	people := told(t, "1 2026-03-15 Order:Completed 1 EUR\n2 2026-03-15 Order:Completed 1 EUR")
	touch := happened(t, []string{"1", "2026-03-14", "Campaign:Touched", "source=a"})
	for range maxJourney + 1 {
		people[0].Events = append(people[0].Events, touch)
	}
	last := len(people[0].Events) - 1
	people[0].Events[0], people[0].Events[last] = people[0].Events[last], people[0].Events[0]
	r := answer(t, "attribution", "", people)
	noted(t, r, "1 conversions are left out: more than 2000 touches")
	if row := rowOf(t, r, "Conversions", "no touch"); row[4] != "1.000" {
		t.Errorf("the other one: %v", row)
	}
}

// 1 sees the guide twice as a visitor and the price list as a subscriber, then
// buys; 2 sees the guide as a visitor and buys 100 days later.
const contentStory = `
1 2026-01-01 -> Visit
1 2026-01-02 Content:Viewed content=guide
1 2026-01-03 Content:Viewed content=guide
1 2026-01-04 -> Subscriber
1 2026-01-04 Campaign:Touched source=news
1 2026-01-05 Content:Downloaded content=prices @shop
1 2026-01-06 Order:Completed 1 EUR
1 2026-01-07 Content:Viewed content=help
1 2026-02-06 Order:Completed 1 EUR
2 2026-01-01 -> Visit
2 2026-01-02 Content:Viewed content=guide
2 2026-04-12 Order:Completed 1 EUR
`

func TestContent(t *testing.T) {
	t.Parallel()
	r := answer(t, "content", "", told(t, contentStory))
	d := r.Data.(*ContentReport)
	want := []ContentUse{{"Subscriber", "content: help", 1, 1}, {"Subscriber", "content: prices", 1, 1}, {"Visit", "content: guide", 2, 3}, {"Visit", "touch: news", 1, 1}}
	if len(d.Stages) != len(want) {
		t.Fatalf("%+v", d.Stages)
	}
	for i, w := range want {
		if d.Stages[i] != w {
			t.Errorf("line %d: %+v, want %+v", i, d.Stages[i], w)
		}
	}
	if len(d.Last) != 1 || d.Last[0].Piece != "content: prices" || d.Last[0].Share.Hits != 1 || d.Last[0].Share.Of != 2 {
		t.Errorf("last: %+v", d.Last)
	}
	noted(t, r, "1 of 2 decisions have neither")
	if d := answer(t, "content", "connection:shop", told(t, contentStory)).Data.(*ContentReport); len(d.Stages) != 1 || len(d.Last) != 0 {
		t.Errorf("of the shop: %+v", d)
	}
}

// 1 is called two days after becoming a lead, and later again; 2 books a
// meeting, which makes a lead of a visitor of six days; 3 was never touched.
func TestContact(t *testing.T) {
	t.Parallel()
	people := told(t, `
1 2026-01-01 -> Visit
1 2026-01-03 -> Qualified Lead
1 2026-01-05 Lead:Contacted
1 2026-01-09 Meeting:Booked
2 2026-01-01 -> Visit
2 2026-01-07 -> Qualified Lead
2 2026-01-07 Meeting:Booked
3 2026-01-01 -> Visit
3 2026-01-02 Page:Viewed
`)
	r := answer(t, "contact", "", people)
	if row := rowOf(t, r, "First sales touch", "Visit"); row[1] != "1" || row[3] != "6.0" || row[4] != "1" {
		t.Errorf("Visit: %v", row)
	}
	if row := rowOf(t, r, "First sales touch", "Qualified Lead"); row[1] != "1" || row[3] != "2.0" || row[4] != "0" {
		t.Errorf("Qualified Lead: %v", row)
	}
	if row := rowOf(t, answer(t, "contact", "touches:Lead:Contacted", people), "First sales touch", "Qualified Lead"); row[4] != "1" {
		t.Errorf("calls only: %v", row)
	}
	noted(t, answer(t, "contact", "from:2026-06-01", people), "no such event was told in the period")
}
