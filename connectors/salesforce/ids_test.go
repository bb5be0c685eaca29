package salesforce

import (
	"slices"
	"strings"
	"testing"
)

// TestID18 holds the long form against ids in the examples of the REST API
// Developer Guide; what is no short id stays as it is.
func TestID18(t *testing.T) {
	t.Parallel()
	for short, long := range map[string]string{
		"001D000000IqhSL":    "001D000000IqhSLIAZ",
		"001R0000003GeJ1":    "001R0000003GeJ1IAK",
		"001R0000003GeJ1IAK": "001R0000003GeJ1IAK",
		"":                   "", "short": "short", "001R0000003G-J1": "001R0000003G-J1",
	} {
		if got := id18(short); got != long {
			t.Errorf("id18(%q) = %q, want %q", short, got, long)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`o'ann@example.com`:       `'o\'ann@example.com'`,
		`x\' OR Email != '`:       `'x\\\' OR Email != \''`,
		"a\nb\x00":                `'a\nb'`,
		strings.Repeat("dana", 2): "'danadana'",
	} {
		if got := quoted(given); got != want {
			t.Errorf("quoted(%q) = %s, want %s", given, got, want)
		}
	}
}

// One query takes many short addresses and few long ones; none is left out.
func TestChunks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []string
		want   int
	}{
		"none":  {nil, 0},
		"short": {slices.Repeat([]string{"dana@example.com"}, 401), 3},
		"long":  {slices.Repeat([]string{strings.Repeat("é", 800) + "@example.com"}, 4), 2},
	} {
		got, all := chunks(c.values), 0
		for _, chunk := range got {
			all += len(chunk)
			if len(chunk) > queryValues || len(chunk) == 0 {
				t.Errorf("%s: a chunk of %d", name, len(chunk))
			}
		}
		if len(got) != c.want || all != len(c.values) {
			t.Errorf("%s: %d chunks of %d values", name, len(got), all)
		}
	}
}
