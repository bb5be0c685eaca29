package connectors_test

import (
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

func TestConsentField(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Email Opt In", "email_opt-in", "HasOptedOutOfEmail", "optedIn", "SMS Consent", "gdpr.consent", "doNotCall", "Do Not Contact", "unsubscribedReason", "Unsubscribe date",
	} {
		if !connectors.ConsentField(name) {
			t.Errorf("%q is taken for a field without consent", name)
		}
	}
	for _, name := range []string{"", "company", "Adoption stage", "Options", "subscription_plan", "Last call", "option 1", "日本"} {
		if connectors.ConsentField(name) {
			t.Errorf("%q is taken for consent", name)
		}
	}
}
