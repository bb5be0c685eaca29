package lint

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValuesAndProperties: names that differ in a value are found, and
// properties that are spelled in several ways.
func TestValuesAndProperties(t *testing.T) {
	t.Parallel()
	const src = `name: x
stages: [ { name: V } ]
events:
  Order:BerlinShipped: { description: It left., properties: { customer_email: text, customerEmail: text, order_total: number, address2: text } }
  Order:ParisShipped: { description: It left., properties: { GoldPlan2026: boolean, colour: text } }
  Order:RomeShipped: { description: It left., properties: { ship-date: text, line_1: text } }
  Order:GiftReturned: { description: It came back. }
  Order:ParcelReturned: { description: It came back. }
  Order:PremiumBought: { description: It was bought. }
`
	var got []string
	for _, f := range Plan("plan.yaml", []byte(src), parsed(t, src), Facts{}) {
		got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Code, f.Proposal))
	}
	want := []string{
		"4 value_in_name if the word is a value, write Order:Shipped and put it into a property",
		"4 property_casing write customer_email",
		"4 property_duplicate use one of them",
		"5 value_in_name if the word is a value, write Order:Shipped and put it into a property",
		"5 property_casing write gold_plan_2026",
		"5 value_in_property name what the value means, and put the number into it",
		"6 value_in_name if the word is a value, write Order:Shipped and put it into a property",
		"6 property_casing write ship_date",
		"9 value_in_name write Order:Bought and put the value into a property",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Where another style is the usual one, that is asked for.
	const camel = `name: x
stages: [ { name: V } ]
events:
  Order:Completed: { description: Bought., properties: { orderTotal: number, itemCount: number, first_name: text } }
`
	got = nil
	for _, f := range Plan("plan.yaml", []byte(camel), parsed(t, camel), Facts{}) {
		got = append(got, f.Code+" "+f.Proposal)
	}
	if diff := cmp.Diff([]string{"property_casing write firstName"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
