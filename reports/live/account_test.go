package live

import (
	"errors"
	"testing"

	"github.com/stagebridge/stagebridge/reports/summary"
)

// A report about one account looks at its people and nobody else.
func TestAccountFilter(t *testing.T) {
	t.Parallel()
	for text, fits := range map[string]bool{
		"domain:example.com": true, "group:crm:51": true, "trait:team:a:b": true,
		"example.com": false, "domain:": false, "group:51": false, "group::51": false, "person:x:y": false,
	} {
		o, err := ParseOptions(func(name string) string { return map[string]string{"account": text}[name] })
		var wrong *FieldError
		if (err == nil) != fits || err != nil && (!errors.As(err, &wrong) || wrong.Field != "account") {
			t.Errorf("%s: %v", text, err)
		}
		if !fits {
			continue
		}
		for account, kept := range map[string]bool{text: true, "": false, "domain:other.example.com": false} {
			if o.keeps(&summary.Person{Account: account}) != kept {
				t.Errorf("%s keeps somebody of %q: %v", text, account, !kept)
			}
		}
	}
}
