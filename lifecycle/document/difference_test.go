package document

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	const base = `
name: shop
stages:
  - { name: Visit }
  - { name: Customer, when: seen("Order:Completed") }
  - name: Churned
    side: true
    from: [Customer]
    when: |
      inactive("60d")
segments:
  at_risk: |
    stage == "Customer"
back:
  - { from: [Customer], to: [Visit], policy: forbid }
`
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(base) }
	for name, tt := range map[string]struct {
		from, to string
		want     []string
	}{
		"the same": {base, base, nil},
		"only how it is written": {base, change(`{ name: Customer, when: seen("Order:Completed") }`, "when: |\n      seen(\"Order:Completed\")\n    name: \"Customer\" # bought"),
			nil},
		"a condition": {base, change(`inactive("60d")`, `inactive("90d")`), []string{`changed stages/Churned/when: inactive("60d") -> inactive("90d")`}},
		"a stage goes and one comes": {base, change(`{ name: Visit }`, `{ name: Lead }`), []string{
			`removed stages/Visit: { name: Visit } -> `, `added stages/Lead:  -> { name: Lead }`}},
		"an item of a list": {base, change(`from: [Customer]`, `from: [Customer, Visit]`), []string{
			`added stages/Churned/from/Visit:  -> Visit`,
			`removed back/{ from: [Customer], policy: forbid, to: [Visit] }: { from: [Customer], policy: forbid, to: [Visit] } -> `,
			`added back/{ from: [Customer, Visit], policy: forbid, to: [Visit] }:  -> { from: [Customer, Visit], policy: forbid, to: [Visit] }`}},
		"the order": {"stages: [ { name: A }, { name: B }, { name: C } ]", "stages: [ { name: B }, { name: A }, { name: D } ]", []string{
			"removed stages/C: { name: C } -> ", "added stages/D:  -> { name: D }", "moved stages: A, B -> B, A"}},
		"a map for a text":  {"claims: none", "claims: { crm: hold }", []string{"changed claims: none -> { crm: hold }"}},
		"equal items":       {"a: [x, x]", "a: [x]", []string{"removed a/x #2: x -> "}},
		"everything is new": {"", "a: 1", []string{"added a:  -> 1"}},
	} {
		a, err := Parse("a.yaml", []byte(tt.from))
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := Parse("b.yaml", []byte(tt.to))
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, d := range Differences(a, b) {
			got = append(got, fmt.Sprintf("%s %s: %s -> %s", d.Change, strings.Join(d.Path, "/"), d.Was, d.Is))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	long, err := Parse("a.yaml", []byte("a: "+strings.Repeat("ä", maxShort)))
	if err != nil {
		t.Fatal(err)
	}
	if all := Differences(&Node{Kind: Map}, long); len(all) != 1 || len(all[0].Is) > maxShort+len(" …") {
		t.Errorf("a long value: %v", all)
	}
}
