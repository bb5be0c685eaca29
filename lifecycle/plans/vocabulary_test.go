package plans

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// categories is closed: a new one is a decision, not a slip.
var categories = strings.Fields(`Page Session Campaign Content Form Newsletter Email Contact Lead Demo Meeting Account Trial Onboarding
	Product Order Payment Subscription Deal Ticket Conversation Survey Referral Review Health Company Identity Stage Privacy`)

// notParticiples are the names that do not end in -ed.
var notParticiples = map[string]string{
	"Sent": "irregular", "Won": "irregular", "Lost": "irregular", "Made": "irregular",
	"Promoter": "names the class of an answer", "Passive": "names the class of an answer", "Detractor": "names the class of an answer",
}

// lintName gives what is wrong with an event's name, or "".
func lintName(name string) string {
	category, rest, ok := strings.Cut(name, ":")
	switch {
	case !ok:
		return "is not Category:Name"
	case !slices.Contains(categories, category):
		return "is of an unknown category"
	case len(name) > 64:
		return "is longer than 64 bytes"
	}
	words := splitWords(rest)
	if len(words) < 1 || len(words) > 3 {
		return "has not one to three words, each with a capital, after the colon"
	}
	last := words[len(words)-1]
	if _, ok := notParticiples[last]; !ok && !strings.HasSuffix(last, "ed") {
		return "does not end in a past participle"
	}
	return ""
}

// splitWords cuts EmailChanged into Email and Changed; nil when the text is not
// made of such words.
func splitWords(s string) []string {
	var words []string
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			words = append(words, string(c))
		case 'a' <= c && c <= 'z' && len(words) > 0:
			words[len(words)-1] += string(c)
		default:
			return nil
		}
	}
	return words
}

func TestLintOfNames(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]bool{
		"Order:Completed": false, "Identity:EmailChanged": false, "Deal:Won": false,
		"Order Completed": true, "order:completed": true, "Button:Clicked": true, "Order:Complete": true, "Order:": true,
		"Order:completed": true, "Order:Was_Completed": true, "Order:OneTwoThreeCompleted": true, "Order:Bestätigted": true,
	} {
		if got := lintName(name); (got != "") != bad {
			t.Errorf("lintName(%q) = %q", name, got)
		}
	}
}

func TestVocabularyNames(t *testing.T) {
	t.Parallel()
	events := Events()
	for i, e := range events {
		if wrong := lintName(string(e.Name)); wrong != "" {
			t.Errorf("%s %s", e.Name, wrong)
		}
		for _, o := range events[:i] {
			if e.Name == o.Name {
				t.Errorf("%s is there twice", e.Name)
			}
			if alike(string(e.Name), string(o.Name)) {
				t.Errorf("%s and %s are near duplicates", e.Name, o.Name)
			}
		}
	}
}

// alike holds for two names of one category that differ by a slip: an edit
// distance of at most two in the stem. An event and its opposite or repetition
// (Unsubscribed, Reopened) are no slip.
func alike(a, b string) bool {
	categoryA, a, _ := strings.Cut(strings.ToLower(a), ":")
	categoryB, b, _ := strings.Cut(strings.ToLower(b), ":")
	for _, prefix := range []string{"un", "re"} {
		if a == prefix+b || b == prefix+a {
			return false
		}
	}
	if categoryA != categoryB {
		return false
	}
	return distance(strings.TrimSuffix(a, "ed"), strings.TrimSuffix(b, "ed")) <= 2
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost++
			}
			left, row[j+1] = row[j+1], min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

func TestAlike(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"Subscription:Canceled", "Subscription:Cancelled", true}, {"Meeting:Booked", "Meeting:Book", true},
		{"Newsletter:Subscribed", "Newsletter:Unsubscribed", false}, {"Lead:Created", "Deal:Created", false},
		{"Deal:Won", "Deal:Advanced", false},
	} {
		if alike(tt.a, tt.b) != tt.want {
			t.Errorf("alike(%s, %s) = %v", tt.a, tt.b, !tt.want)
		}
	}
}

func TestVocabularyMeanings(t *testing.T) {
	t.Parallel()
	for _, e := range Events() {
		if d := e.Description; len(d) < 15 || !strings.HasSuffix(d, ".") || strings.Contains(d, ". ") || d[0] < 'A' || d[0] > 'Z' {
			t.Errorf("%s: %q is not one sentence", e.Name, d)
		}
		if e.Value && !e.Key {
			t.Errorf("%s carries money and needs no key: two tools would count it twice", e.Name)
		}
		for name, spec := range e.Properties {
			if name == "" || strings.ToLower(name) != name || spec.Required {
				t.Errorf("%s: property %q, %+v", e.Name, name, spec)
			}
		}
		if _, ok := e.Properties["name"]; !ok {
			t.Errorf("%s has no room for the vendor's own name", e.Name)
		}
	}
}

// TestVocabularyMarks holds the marks that conditions and reports rest on.
func TestVocabularyMarks(t *testing.T) {
	t.Parallel()
	got := make(map[string][]lifecycle.EventName)
	for _, e := range Events() {
		for mark, set := range map[string]bool{"activity": e.Activity, "value": e.Value, "key": e.Key} {
			if set {
				got[mark] = append(got[mark], e.Name)
			}
		}
	}
	list := func(s string) []lifecycle.EventName {
		var out []lifecycle.EventName
		for _, group := range strings.Fields(s) {
			category, words, _ := strings.Cut(group, ":")
			for _, w := range strings.Split(words, ",") {
				out = append(out, lifecycle.EventName(category+":"+w))
			}
		}
		return out
	}
	money := "Order:Completed,Refunded Payment:Succeeded,Failed Subscription:Started,Renewed,Upgraded,Downgraded,Canceled,Paused,Resumed Deal:Created,Advanced,Won,Lost"
	want := map[string][]lifecycle.EventName{
		"activity": list("Page:Viewed Session:Started Campaign:Touched Content:Viewed,Downloaded Form:Submitted Newsletter:Subscribed Email:Clicked " +
			"Demo:Requested Meeting:Booked,Attended Account:Created,Activated Onboarding:Started,Completed Product:Used Order:Completed,Refunded " +
			"Ticket:Opened,Reopened,Rated Conversation:Started,Replied Survey:Answered Referral:Made,Converted Review:Posted"),
		"value": list(money),
		"key": list("Meeting:Booked,Attended,Canceled,Missed Trial:Started,Ended,Converted Onboarding:Started,Completed " + money +
			" Ticket:Opened,Solved,Reopened,Rated Survey:Answered,Promoter,Passive,Detractor Referral:Made,Converted Review:Posted"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	v := Vocabulary()
	if len(v) != len(Events()) || !v["Email:Clicked"].Activity || v["Email:Opened"].Activity || v["Deal:Won"].Description == "" {
		t.Errorf("the vocabulary for plans differs from the list")
	}
}

func TestParseEventsTellsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := parseEvents("events.yaml", []byte(`events:
  A:Done: { activity: true }
  B:Done: { description: x, properties: { n: count }, active: true }
more: 1
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"description", "activity", `"count"`, "active", "more"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("nothing about %s in:\n%v", part, err)
		}
	}
}
