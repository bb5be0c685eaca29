package jobs

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
)

var mentionKeys = []lifecycle.Key{{Namespace: "email", Value: "ann@example.com"}, {Namespace: "phone", Value: "+4915112345678"}, {Namespace: "crm", Value: "880011"},
	{Namespace: "crm", Value: "Ab-7"}, {Namespace: "user", Value: "u-Ann-7731"}, {Namespace: "user", Value: "ann"}}

// TestMentionsAreWhatErasureFinds: the person is named where an erasure would
// find the person by the hashes, escapes, case and a connection's own ids included.
func TestMentionsAreWhatErasureFinds(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 7))
	blocks := &Blocks{key: []byte("a key of the test")}
	blocks = blocks.with(blocks.of(mentionKeys, math.MaxInt64), 0)
	m := mentionsOf(mentionKeys)
	words := []string{"ann@example.com", "ANN@Example.com", "ann%40example.com", `ann\u0040example.com`, "joann@example.com", "+4915112345678", "%2B4915112345678", "880011", "8800110",
		"Ab-7", "ab-7", "u-ann-7731", "u-Ann-7731", "ann", "Ann", "carl@example.com", "bo", "12345678"}
	seps := []string{" ", `","`, "=", "&", "", ":", "/", "\n"}
	named := 0
	for range 3000 {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(words[r.IntN(len(words))] + seps[r.IntN(len(seps))])
		}
		connection := []string{"crm", "shop", "", "user"}[r.IntN(4)]
		want := blocks.names([]byte(b.String()), connection, 0)
		if want {
			named++
		}
		if got := m.in([]byte(b.String()), connection); got != want {
			t.Fatalf("%q told by %q: %v, an erasure says %v", b.String(), connection, got, want)
		}
	}
	if named < 300 || named > 2900 {
		t.Errorf("%d of 3000 texts name the person: nothing is compared", named)
	}
	if m.in(nil, "crm") || mentionsOf(nil).in([]byte("ann@example.com"), "crm") {
		t.Error("nothing names somebody")
	}
}

// BenchmarkMentions is a payload of 2 kB that names others, as nearly all do.
func BenchmarkMentions(b *testing.B) {
	var text strings.Builder
	for i := 0; text.Len() < 2000; i++ {
		fmt.Fprintf(&text, `{"objectId":%d,"email":"somebody%d@example.com","name":"Some Body","at":"2026-03-01T12:00:00Z"},`, 700000+i, i)
	}
	payload := []byte(text.String())
	blocks := &Blocks{key: []byte("a key of the test")}
	blocks = blocks.with(blocks.of(mentionKeys, math.MaxInt64), 0)
	m := mentionsOf(mentionKeys)
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			m.in(payload, "crm")
		}
	})
	b.Run("hashed", func(b *testing.B) {
		for b.Loop() {
			blocks.names(payload, "crm", 0)
		}
	})
}
