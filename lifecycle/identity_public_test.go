package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPublicKeysJoinNobodyKnown(t *testing.T) {
	t.Parallel()
	user, mail, crm, device := Key{"user", "u1"}, Key{"email", "ann@example.com"}, Key{"crm", "7"}, Key{NamespaceAnonymous, "d1"}
	tests := []struct {
		name       string
		keys, want []Key
	}{
		{"user and browser", []Key{device, user}, []Key{user, device}},
		{"two strong ones", []Key{mail, user, crm}, []Key{user}},
		{"all", []Key{device, mail, user, crm}, []Key{user, device}},
		{"e-mail and browser", []Key{mail, device}, []Key{mail, device}},
		{"browser alone", []Key{device}, []Key{device}},
		{"a role address is not a second person", []Key{{"email", "info@example.com"}, crm}, []Key{crm}},
		{"nothing usable", []Key{{"user", ""}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, DefaultGuards().Public(tt.keys)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
