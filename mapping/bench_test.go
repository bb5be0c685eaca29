package mapping

import (
	"fmt"
	"strings"
	"testing"
)

// manyRules is a connection with 100 rules, as a vendor with one type for all
// changes of a property needs them.
func manyRules() string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range 100 {
		typ := "deal.propertyChange"
		if i >= 20 {
			typ = fmt.Sprintf("other.type%d", i)
		}
		fmt.Fprintf(&b, `  - name: rule %d
    type: %s
    when: body.propertyName == "dealstage" && body.propertyValue == "stage%d"
    emit: { event: Deal:Moved, identity: { email: body.email } }
`, i, typ, i)
	}
	b.WriteString(`  - name: won
    type: deal.*
    when: body.propertyName == "dealstage" && body.propertyValue == "closedwon"
    emit:
      event: Deal:Won
      key: body.objectId
      at: fromUnixMilli(body.occurredAt)
      identity: { email: body.email, hubspot: body.objectId }
      traits: { source: body.changeSource, portal: body.portalId }
      properties: { deal: body.objectId }
      value: { amount: body.portalId, currency: "'EUR'" }
`)
	return b.String()
}

// BenchmarkApply maps an event of 300 bytes by 101 rules, 21 of them for its
// type, with its decoding and without.
func BenchmarkApply(b *testing.B) {
	rs := compiled(b, manyRules(), hubspot)
	body, err := Decode("", webhook)
	if err != nil {
		b.Fatal(err)
	}
	dedupe := []byte("0123456789abcdef0123456789abcdef")
	for name, in := range map[string]Input{
		"raw":     {Type: "deal.propertyChange", Raw: webhook, Dedupe: dedupe},
		"decoded": {Type: "deal.propertyChange", Body: body, Dedupe: dedupe},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				one := in
				if out := rs.Apply(&one); out.Err != nil || len(out.Events) != 1 {
					b.Fatal(out)
				}
			}
		})
	}
}
