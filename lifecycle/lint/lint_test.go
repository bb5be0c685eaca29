package lint

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
)

func parsed(t *testing.T, src string) *lifecycle.Plan {
	t.Helper()
	plan, err := lifecycle.ParsePlan("plan.yaml", []byte(src), plans.Vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestNames: one name at a time, with the codes of what is wrong and the first
// proposal.
func TestNames(t *testing.T) {
	t.Parallel()
	n := names{categories: []string{"Account", "Course", "Order", "Page"}}
	for name, want := range map[string]string{
		"Order:Completed": "", "Order:GiftSent": "", "Course:Begun": "", "Order:HandedOver": "", "Order:Over": "not_past: ",
		"order_completed":                        "shape: write Order:Completed",
		"completed order":                        "shape: write Order:Completed",
		"Completed":                              "shape: name the thing first and then what happened to it, as in Order:Completed",
		"Order:Completed:Again":                  "shape: write Order:CompletedAgain",
		"Order:":                                 "shape: name the thing first and then what happened to it, as in Order:Completed",
		"Order:complete":                         "casing: write Order:Complete; not_past: write Order:Completed",
		"Order:Gift Sent":                        "characters: write Order:GiftSent",
		"Ordre:Completed":                        "category: did you mean Order?",
		"Basket:Filled":                          "category: choose one of the vocabulary, or list it under governance.categories",
		"Order:2026Completed":                    "value_in_name: write Order:Completed and put the value into a property",
		"Course:JulyStarted":                     "value_in_name: write Course:Started and put the value into a property",
		"Order:GoldBought":                       "value_in_name: write Order:Bought and put the value into a property",
		"Order:42":                               "value_in_name: name what happened, and put the value into a property",
		"Order:BigRedGiftBoxSent":                "words: name what happened, and put the rest into properties",
		"Order:Cancellation":                     "not_past: write Order:Canceled",
		"Order:Shipping":                         "not_past: write Order:Shipped",
		"Order:Verify":                           "not_past: write Order:Verified",
		"Order:ButtonClicked":                    "interface_word: name the person achieved by it, such as Demo:Requested",
		"Order:Überwiesen":                       "characters: name the thing first and then what happened to it, as in Order:Completed; not_past: end with a word such as Completed, Started or Sent",
		"Page:" + strings.Repeat("A", 70) + "ed": "length: say it shorter, and put the rest into properties",
	} {
		var got []string
		for _, p := range n.judge(lifecycle.EventName(name)) {
			got = append(got, p.code+": "+strings.Replace(p.proposal, "name what the person", "name the person", 1))
		}
		if g := strings.Join(got, "; "); !strings.HasPrefix(g, want) || want == "" && g != "" {
			t.Errorf("%s\n got  %s\n want %s", name, g, want)
		}
	}
}

// TestNearDuplicates: spellings of one name are found, other names are not.
func TestNearDuplicates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Order:Completed", "Order:Complete", true}, {"Order:Completed", "Orders:Completed", true}, {"Order:Completed", "order completion", true},
		{"Subscription:Canceled", "Subscription:Cancelled", true}, {"Subscription:Canceled", "Subscripton:Canceled", true},
		{"Subscription:Paused", "Subscription:Passed", true}, {"Order:Sent", "Order:Seen", false}, {"Ticket:Opened", "Ticket:Reopened", false},
		{"Newsletter:Subscribed", "Newsletter:Unsubscribed", false}, {"Lead:Qualified", "Lead:Disqualified", false}, {"Deal:Won", "Deal:Lost", false},
		{"Trial:Started", "Trial:Stopped", false}, {"Course:Booked", "Course:Started", false},
	} {
		a, b := spell(lifecycle.EventName(c.a)), spell(lifecycle.EventName(c.b))
		if got := near(&a, &b); got != c.want || near(&b, &a) != c.want {
			t.Errorf("%s (%q) and %s (%q): near %v, want %v", c.a, a.text, c.b, b.text, got, c.want)
		}
	}
}

func TestSynonyms(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]lifecycle.EventName{
		"User:SignedUp": "Account:Created", "Customer:Registered": "Account:Created", "Account:Registered": "Account:Created", "Order:Placed": "Order:Completed",
		"Product:Purchased": "Order:Completed", "Ticket:Closed": "Ticket:Solved", "Meeting:Scheduled": "Meeting:Booked", "Deal:Closed": "Deal:Won", "Course:Started": "",
	} {
		s := spell(lifecycle.EventName(name))
		if got := s.meant(); got != want {
			t.Errorf("%s (%q) means %q, want %q", name, s.words, got, want)
		}
	}
}

// TestVocabularyPasses: the vocabulary holds no two names for one thing, and
// its names have the form but for the few that are known.
func TestVocabularyPasses(t *testing.T) {
	t.Parallel()
	plan := parsed(t, "name: x\nstages: [ { name: V } ]\n")
	n := names{categories: categories(plan, plans.Vocabulary())}
	var all []spelled
	for name := range plans.Vocabulary() {
		for _, p := range n.judge(name) {
			if p.code != "not_past" && p.code != "interface_word" {
				t.Errorf("%s: %s", p.code, p.reason)
			}
		}
		s := spell(name)
		if meant := s.meant(); meant != "" && meant != name {
			t.Errorf("%s is taken for %s", name, meant)
		}
		for i := range all {
			if near(&s, &all[i]) {
				t.Errorf("%s is near %s", name, all[i].name)
			}
		}
		all = append(all, s)
	}
}

const advisedPlan = `name: x
stages:
  - { name: Visit }
  - name: Customer
    when: seen("Order:Completed") || seen("Order:Old")
  - name: Gone
    side: true
    when: |
      seen("Ordr:Completed")
    until: seen("Gift:Sent")
segments:
  fans: count("Order:Completed") > 2
events:
  Order:Completed: { description: Bought., owner: shop, properties: { total: number } }
  Order:Old: { description: Bought long ago., owner: shop, successor: "Order:Completed" }
  Gift:Sent: { description: A gift went out. }
  Gift:Broken: { owner: shop }
governance:
  unplanned_event: tag
  connections: { web: { unplanned_event: quarantine } }
  categories: [Gift]
  traits: { iban: sensitive }
revenue: [Order:Old]
`

func TestPlan(t *testing.T) {
	t.Parallel()
	plan := parsed(t, advisedPlan)
	at := lifecycle.At(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	found := Plan("plan.yaml", []byte(advisedPlan), plan, Facts{
		EmittedKnown: true,
		Emitted: []Emitted{
			{"crm", "order", "rules/crm.yaml", 3, "Order:Completed", []string{"total", "colour"}, nil}, {"crm", "old", "rules/crm.yaml", 9, "Order:Old", nil, nil},
			{"crm", "gift", "rules/crm.yaml", 12, "Gift:Sent", nil, nil}, {"crm", "page", "rules/crm.yaml", 15, "Page:Viewed", nil, nil}, {"web", "page", "", 0, "Page:Viewed", nil, nil},
		},
		Pushed:  []Pushed{{"crm", "IBAN", "iban"}, {"crm", "City", "city"}},
		Arrived: []Arrived{{"web", "late", "Gift:Send", 7, at}, {"web", "page", "Order:Completed", 1, at}},
	})
	var got []string
	for _, f := range found {
		got = append(got, f.String())
	}
	want := []string{
		`plan.yaml:5:11: warning: deprecated: "Order:Old" is deprecated and is read here; use Order:Completed`,
		`plan.yaml:9:7: warning: category`,
		`plan.yaml:9:7: warning: near_duplicate: "Ordr:Completed" is nearly the same as "Order:Completed"; use one name for one thing`,
		`plan.yaml:9:7: warning: never_sent: "Ordr:Completed" is read, and no rule sends it`,
		`plan.yaml:9:7: warning: undescribed: "Ordr:Completed" is read, and nothing describes it; did you mean Order:Completed?`,
		`plan.yaml:15:3: warning: not_past: "Order:Old" does not end with what happened`,
		`plan.yaml:16:3: warning: no_owner: "Gift:Sent" has no owner, while others have one; say who answers for it`,
		`plan.yaml:17:3: warning: never_sent: "Gift:Broken" is described, and no rule sends it; write a rule that does, or mark it as deprecated`,
		`plan.yaml:17:3: warning: no_description: "Gift:Broken" is not described; say in one sentence what happened`,
		`plan.yaml:23:10: warning: deprecated: "Order:Old" is deprecated and counts as revenue; use Order:Completed`,
		`warning: sensitive_pushed: crm: the trait "iban" is sensitive, so the field "IBAN" of the vendor is not written`,
		`rules/crm.yaml:3:1: warning: unplanned_property: crm: rule "order": "Order:Completed" is sent with the property "colour"`,
		`rules/crm.yaml:9:1: warning: deprecated: crm: rule "old": "Order:Old" is deprecated and is sent; use Order:Completed`,
		`rules/crm.yaml:15:1: warning: unplanned_event: crm: rule "page": "Page:Viewed" is sent and not in the plan; list it`,
		`warning: came_in: web: rule "late": "Gift:Send" came in 7 times, the last on 2026-03-01, and is not in the plan; did you mean Gift:Sent?`,
		`warning: near_duplicate: web: rule "late": "Gift:Send" is nearly the same as "Gift:Sent"; use one name for one thing`,
		`warning: not_past: web: rule "late": "Gift:Send" does not end with what happened: "Send" is no past participle; write Gift:Sent`,
		`error: unplanned_event: web: rule "page": "Page:Viewed" is sent and not in the plan: it will be quarantined`,
	}
	want[1] = `plan.yaml:9:7: error: category: "Ordr:Completed" begins with "Ordr", which is none of the categories; did you mean Order?`
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("unexpected: %s", got[i])
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case !strings.HasPrefix(got[i], want[i]):
			t.Errorf("%d\n got  %s\n want %s", i, got[i], want[i])
		}
	}
	if n := Errors(found); n != 2 {
		t.Errorf("%d errors, want 2", n)
	}
}

// TestReadyMadePlansPass: the plans that come with the program raise nothing.
func TestReadyMadePlansPass(t *testing.T) {
	t.Parallel()
	for _, name := range plans.Names() {
		src, _ := plans.Source(name)
		for _, f := range Plan(name+".yaml", src, plans.MustParse(name), Facts{}) {
			t.Errorf("%v", f)
		}
	}
}

// TestWithin compares the banded distance with the whole table.
func TestWithin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringMatching("[abc]{0,9}")
		a, b, limit := letters.Draw(t, "a"), letters.Draw(t, "b"), rapid.IntRange(0, 3).Draw(t, "limit")
		rows := make([][]int, len(a)+1)
		for i := range rows {
			rows[i] = make([]int, len(b)+1)
			for j := range rows[i] {
				switch {
				case i == 0 || j == 0:
					rows[i][j] = i + j
				case a[i-1] == b[j-1]:
					rows[i][j] = rows[i-1][j-1]
				default:
					rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
				}
			}
		}
		if got, want := within(a, b, limit), rows[len(a)][len(b)] <= limit; got != want {
			t.Fatalf("%q and %q within %d: %v, want %v", a, b, limit, got, want)
		}
	})
}

// TestManyNames: a plan as large as can be is judged in bounded time.
func TestManyNames(t *testing.T) {
	t.Parallel()
	var src strings.Builder
	src.WriteString("name: x\nstages: [ { name: V } ]\nevents:\n")
	for i := range 1900 {
		fmt.Fprintf(&src, "  Order:%c%c%cCompleted: it\n", 'A'+i%26, 'a'+i/26%26, 'a'+i/676)
	}
	plan := parsed(t, src.String())
	began := time.Now()
	found := Plan("plan.yaml", []byte(src.String()), plan, Facts{})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if len(found) == 0 || len(found) > maxFindings {
		t.Errorf("%d findings", len(found))
	}
}

// FuzzJudge: any text is judged without a panic, and a name that has the form
// is proposed as it is.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{"Order:Completed", "order_completed", "Ä:ö", ":", "a:b:c", "Order:2026", "\xff:x", "OrderX:AAAbbb"} {
		f.Add(seed)
	}
	n := names{categories: []string{"Order"}}
	f.Fuzz(func(t *testing.T, text string) {
		n.judge(lifecycle.EventName(text))
		s, o := spell(lifecycle.EventName(text)), spell("Order:Completed")
		s.meant()
		if near(&s, &o) != near(&o, &s) {
			t.Fatalf("%q is near in one direction only", text)
		}
	})
}

func TestFindingText(t *testing.T) {
	t.Parallel()
	f := Finding{Code: "shape", Severity: Error, Reason: "is odd"}
	if diff := cmp.Diff("error: shape: is odd", f.String()); diff != "" {
		t.Error(diff)
	}
}
