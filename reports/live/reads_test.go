package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// eachMatters is a story in which each option of each report makes a difference.
func eachMatters() string {
	var b strings.Builder
	for i, story := range []string{salesStory, touchStory, mrrStory, speedStory} {
		for line := range strings.Lines(story) {
			id, rest := 0, ""
			if n, _ := fmt.Sscan(line, &id); n == 1 {
				_, rest, _ = strings.Cut(line, " ")
				fmt.Fprintf(&b, "%d %s", 1000*(i+1)+id, rest)
			}
		}
	}
	b.WriteString(`
9001 2026-01-02 -> Visit
9001 2026-01-05 -> Customer
9001 2026-01-06 Page:Viewed
9001 2026-01-20 -> Retained Customer
9002 2026-01-02 -> Visit
9002 2026-02-03 -> Subscriber
9002 2026-02-09 -> Qualified Lead
9002 2026-02-19 -> Customer
9002 2026-02-10 Email:Opened
9002 2026-02-11 Content:Viewed content=guide
9002 2026-02-14 Campaign:Touched source=ads medium=cpc
9002 2026-02-20 Survey:Answered kind=nps score=9
9002 2026-03-03 Product:Used
9003 2026-01-02 -> Visit
9003 2026-02-19 -> Customer
9003 2026-02-21 -> Churned
9003 2026-04-21 -> Customer
9003 2026-02-25 Ticket:Opened ticket=t1
9003 2026-02-26 Ticket:Solved ticket=t1
9003 2026-02-26 Survey:Answered kind=nps score=3
`)
	r := rand.New(rand.NewPCG(1, 2))
	for id := range 120 {
		day := r.IntN(60)
		for range 1 + r.IntN(6) {
			currency := []string{"EUR", "EUR", "EUR", "USD"}[r.IntN(4)]
			fmt.Fprintf(&b, "%d 2026-%02d-%02d Order:Completed %d %s\n", 100+id, 1+day/28%12, 1+day%28, 5+r.IntN(200), currency)
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, "%d 2026-%02d-%02d Product:Used\n", 100+id, 1+day/28%12, 1+day%28)
			}
			day += 1 + r.IntN(60)
		}
	}
	return b.String()
}

// TestOptionsOfReports holds what each report is said to read against what
// changes its answer.
func TestOptionsOfReports(t *testing.T) {
	t.Parallel()
	people := told(t, eachMatters())
	general := append(everywhere(), "connection", "lifecycle")
	values := map[string]string{"unit": "week", "kind": "rolling", "events": "Product:Used", "currency": "USD", "window": "3", "weeks": "26", "rates": "USD=0.5",
		"counting": "entered", "won": "Lead:Contacted", "touches": "Page:Viewed", "by": "medium", "start": "first_touch", "basis": "purchase", "stages": "Retained+Customer",
		"stage": "Customer", "group": "won", "lookback": "2", "halflife": "1", "score": "50", "hours": "9-17", "spend": "100", "margin": "0.5", "discount": "0.1"}
	// Where an option says something about another one, that one is given, too.
	bases := map[string][]string{"rates": {"currency:EUR"}, "stages": {"basis:stage stages:Customer"}, "events": {"", "basis:purchase"}, "window": {"", "basis:purchase"}}
	for _, info := range Reports() {
		var found []string
		plain := map[string][]byte{}
		answered := func(text string) []byte {
			body, err := json.Marshal(answer(t, info.Name, "now:2026-06-10 "+text, people))
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
		for _, x := range OptionInfos() {
			if slices.Contains(general, x.Name) {
				continue
			}
			alone := bases[x.Name]
			if alone == nil {
				alone = []string{""}
			}
			for _, base := range alone {
				if plain[base] == nil {
					plain[base] = answered(base)
				}
				value := values[x.Name]
				if x.Name == "by" && info.Name == "funnel" {
					value = "month"
				}
				if !bytes.Equal(plain[base], answered(base+" "+x.Name+":"+value)) {
					found = append(found, x.Name)
					break
				}
			}
		}
		var said []string
		for _, x := range OptionsOf(info.Name) {
			if !slices.Contains(general, x.Name) {
				said = append(said, x.Name)
			}
		}
		if !slices.Equal(found, said) {
			t.Errorf("%s is changed by %q, and is said to read %q", info.Name, found, said)
		}
	}
	for name, want := range map[string]string{"funnel": "day week month", "attribution": "source medium campaign content connection event"} {
		all := OptionsOf(name)
		i := slices.IndexFunc(all, func(x OptionInfo) bool { return x.Name == "by" })
		if got := strings.Join(all[i].Choices, " "); got != want {
			t.Errorf("%s by %q, want %q", name, got, want)
		}
	}
	if OptionsOf("nothing") != nil {
		t.Error("there are options of no report")
	}
}
