package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOwnAddresses: of two addresses that one event names, the trait is the one
// that is the person's; the event itself stays as it was.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	user, own, other, nobody := Key{"user", "1"}, Key{"email", "ann@example.com"}, Key{"email", "bo@example.com"}, Key{"email", "noreply@example.com"}
	events := []Event{{Identity: []Key{user, own}}, {Identity: []Key{user, other, own}}, {Identity: []Key{other}}, {Identity: []Key{user, nobody}}}
	got := DefaultGuards().OwnAddresses(events, []Key{user, own})
	want := []Event{{Identity: []Key{user, own}}, {Identity: []Key{user, own}}, {Identity: []Key{}}, {Identity: []Key{user, nobody}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(events[1].Identity) != 3 || len(events[2].Identity) != 1 {
		t.Errorf("the argument was changed: %v", events)
	}
	if same := DefaultGuards().OwnAddresses(events[:1], []Key{user, own}); &same[0] != &events[0] {
		t.Error("what need not change is copied")
	}
	if none := DefaultGuards().OwnAddresses(nil, nil); none != nil {
		t.Errorf("of nothing: %v", none)
	}
}
