package connectors

import "strings"

// consentParts are words that a field's name holds where the field says whether
// a person may be written to or called.
var consentParts = [...]string{
	"optin", "optout", "optedin", "optedout", "unsubscrib", "consent",
	"donotcall", "donotcontact", "donotemail", "donotmail", "donotsell",
}

// ConsentField reports whether a field, by its name, holds a person's consent or
// its opposite: "Email Opt In", "has_opted_out_of_email", "doNotCall". Case and
// everything but letters and digits are passed over. Descriptor.Check refuses
// such a field as the target of a trait, since nobody is opted in or out by
// Stagebridge; what a vendor calls otherwise its connector refuses by name.
func ConsentField(name string) bool {
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	for _, part := range consentParts {
		if strings.Contains(letters, part) {
			return true
		}
	}
	return false
}
