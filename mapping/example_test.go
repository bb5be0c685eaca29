package mapping_test

import (
	"fmt"

	"github.com/stagebridge/stagebridge/mapping"
)

// A deal is won at the vendor; the person at the other end of it becomes a
// customer here.
func Example() {
	rules, err := mapping.Compile("rules/hubspot-eu.yaml", []byte(`
rules:
  - name: deal won
    type: deal.propertyChange                # raw event type, exact or with a trailing *
    when: body.propertyName == "dealstage" && body.propertyValue == "closedwon"
    each: record.contacts                    # one event per contact of the deal; the element is item
    emit:
      event: Deal:Won
      key: body.objectId
      at: fromUnixMilli(body.occurredAt)
      identity: { email: item.email, hubspot: item.id }
      traits: { company: record.company }
      properties: { deal: body.objectId }
      value: { amount: record.amount, currency: record.currency }
tests:
  - name: closed won becomes Deal:Won
    type: deal.propertyChange
    body: { propertyName: dealstage, propertyValue: closedwon, objectId: 7, occurredAt: 1700000000000 }
    record: { amount: "1200.50", currency: EUR, contacts: [ { id: 51, email: ann@example.com } ] }
    want: [ { event: Deal:Won, identity: { email: ann@example.com } } ]
`), mapping.Options{Connection: "hubspot-eu", Connector: "hubspot"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range mapping.RunTests(rules) {
		fmt.Println(t.Name, t.Passed())
	}
	out := rules.Apply(&mapping.Input{
		Type:       "deal.propertyChange",
		Raw:        []byte(`{"propertyName":"dealstage","propertyValue":"closedwon","objectId":7,"occurredAt":1700000000000}`),
		RecordJSON: []byte(`{"company":"Acme","amount":"1200.50","currency":"EUR","contacts":[{"id":51,"email":"Ann@Example.com"}]}`),
		Dedupe:     []byte("delivery 1"),
	})
	for _, e := range out.Events {
		fmt.Println(e.Name, e.At.Time(), e.Identity, e.BusinessKey, *e.Value)
	}
	// Output:
	// closed won becomes Deal:Won true
	// Deal:Won 2023-11-14 22:13:20 +0000 UTC [email:ann@example.com hubspot-eu:51] 7 {1200500000 EUR}
}
