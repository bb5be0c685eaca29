package lifecycle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const identityPlan = `
name: mine
stages: [ { name: Visit } ]
identity:
  limits:
    user: none
    email: 2
    anonymous: { most: 2, within: 7d }
    "*": 3
  most_keys: 20
  priority: [ email, user ]
  blocked: [ Demo, "user:4711", "/^qa-[0-9]+$/", "email:/@load\\.example\\.com$/", "/^[0-]*$/" ]
  shared: [ Reception ]
  devices: [ ga-web ]
`

func TestPlanIdentity(t *testing.T) {
	t.Parallel()
	p, err := ParsePlan("plan.yaml", []byte(identityPlan))
	if err != nil {
		t.Fatal(err)
	}
	g := p.Guards()
	usable := map[string]string{
		"user:demo email:demo@example.com user:4711 hubspot:4711":      "hubspot:4711",
		"user:qa-17 user:qa-x hubspot:qa-3":                            "user:qa-x",
		"email:ann@load.example.com phone:+4930123451":                 "phone:+4930123451",
		"user:1 email:ann@example.com":                                 "email:ann@example.com user:1",
		"email:reception@example.com hubspot:51 ga-web:7 anonymous:x":  "hubspot:51 email:reception@example.com ga-web:7 anonymous:x",
		"hubspot:000 stripe:51":                                        "stripe:51",
		"phone:+4930123451 user:1 anonymous:x email:ann@example.com":   "email:ann@example.com user:1 phone:+4930123451 anonymous:x",
		"email:ann@example.com user:1 phone:+4930123451 anonymous:abc": "email:ann@example.com user:1 phone:+4930123451 anonymous:abc",
	}
	for keys, want := range usable {
		var got []string
		for _, k := range g.Usable(keyList(keys)) {
			got = append(got, k.String())
		}
		if w := strings.Join(got, " "); w != want {
			t.Errorf("%s: usable are %s, want %s", keys, w, want)
		}
	}
	if g.MaxKeys != 20 || g.VendorLimit != 3 || g.Limits["user"] != 0 || g.Limits["email"] != 2 {
		t.Errorf("limits: %+v", g)
	}
	plain, err := ParsePlan("plan.yaml", []byte("name: mine\nstages: [ { name: Visit } ]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if plain.Guards().Fingerprint() != DefaultGuards().Fingerprint() {
		t.Error("a plan that says nothing has other guards than the default ones")
	}
	if g.Fingerprint() == plain.Guards().Fingerprint() {
		t.Error("other guards have the same fingerprint")
	}
}

// TestKeyWindow: a third cookie within a week is refused, one a week later is
// not, whatever the order of arrival.
func TestKeyWindow(t *testing.T) {
	t.Parallel()
	const day = 24 * 3600 * 1_000_000
	g := DefaultGuards()
	g.Windows = map[string]KeyWindow{"anonymous": {Most: 2, Within: 7 * day}}
	g.Limits["anonymous"] = 0
	at := func(days int, keys string) Edge {
		e := keyEdge(days, keys)
		e.At *= day
		return e
	}
	edges := []Edge{
		at(9, "user:1 anonymous:d"), at(3, "user:1 anonymous:c"), at(1, "user:1 anonymous:a"), at(2, "user:1 anonymous:b"),
		at(30, "user:1 anonymous:a"), at(31, "user:2 anonymous:e"), at(31, "user:2 anonymous:f"), at(40, "email:bo@example.com anonymous:e"),
	}
	p := g.Partition(edges)
	var groups []string
	for _, keys := range p.Groups {
		var words []string
		for _, k := range keys {
			words = append(words, k.String())
		}
		groups = append(groups, strings.Join(words, " "))
	}
	want := []string{"user:1 anonymous:a anonymous:b anonymous:d", "user:2 email:bo@example.com anonymous:e anonymous:f"}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if len(p.Refused) != 1 || p.Refused[0].Key.Value != "c" || p.Refused[0].Reason != "limit:anonymous" {
		t.Errorf("refused: %+v", p.Refused)
	}
}

func TestPlanIdentityMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"limits: { email: 0 }":                          `is "0", want a number from 1`,
		"limits: { E-Mail: 3 }":                         "is no namespace of keys",
		"limits: { email: { most: 3 } }":                "within",
		`limits: { "*": { most: 3, within: 7d } }`:      "can't have a span",
		"limits: { email: { most: 3, within: never } }": "never",
		`blocked: [ "/(/" ]`:                            "no regular expression",
		`blocked: [ "/a*/" ]`:                           "matches every value",
		`blocked: [ "user:" ]`:                          "names no value",
		"shared: [ info@example.com ]":                  "before the @",
		"devices: [ email ]":                            "belongs to a person",
		"priority: [ user, user ]":                      "twice",
		"priority: [ User ]":                            "want user, email",
		"limit: { email: 3 }":                           "did you mean limits",
		"most_keys: lots":                               `is "lots"`,
	} {
		_, err := ParsePlan("plan.yaml", []byte("name: mine\nstages: [ { name: Visit } ]\nidentity:\n  "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "plan.yaml:4") {
			t.Errorf("%s: %v, want line 4 and %q", text, err, want)
		}
	}
}
