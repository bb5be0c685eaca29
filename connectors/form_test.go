package connectors_test

import (
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// TestForm reads settings with and without a default, and tells every mistake.
func TestForm(t *testing.T) {
	t.Parallel()
	d := &connectors.Descriptor{ID: "acme", Settings: []connectors.FieldSpec{
		{Name: "region", Default: "eu"}, {Name: "prefix", Default: "sb:"}, {Name: "account", Required: "always", Help: "the account's id."},
	}}
	form := connectors.ReadForm(d, connectors.Config{Settings: map[string]string{"region": " us ", "prefix": " ", "account": "7"}})
	for name, want := range map[string]string{"region": "us", "prefix": "sb:", "account": "7", "none": ""} {
		if got := form.Setting(name); got != want {
			t.Errorf("Setting(%q) = %q, want %q", name, got, want)
		}
	}
	if prefix, region := form.Given("prefix"), form.Given("region"); prefix != "" || region != "us" {
		t.Errorf("Given: %q, %q", prefix, region)
	}
	if err := form.Err(); err != nil {
		t.Errorf("Err() = %v", err)
	}
	form = connectors.ReadForm(d, connectors.Config{Settings: map[string]string{"regoin": "us"}})
	if prefix := form.Given("prefix"); prefix != "sb:" {
		t.Errorf("Given a default: %q", prefix)
	}
	form.Refuse("prefix", "is %q, want letters", "!")
	want := "account: is required: the account's id.\nregoin: is not a setting of acme\nprefix: is \"!\", want letters"
	if err := form.Err(); err == nil || err.Error() != want {
		t.Errorf("Err() = %v, want %s", err, want)
	}
}
