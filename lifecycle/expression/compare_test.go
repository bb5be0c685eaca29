package expression

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	const big = int64(1<<53) + 1
	tests := []struct {
		a, b any
		want string // <, =, > or ? for not ordered
	}{
		{int64(1), int64(2), "<"},
		{int64(2), 1.5, ">"},
		{1.5, int64(2), "<"},
		{int64(2), 2.0, "="},
		{big, float64(1 << 53), ">"},
		{float64(1 << 53), big, "<"},
		{big, "9007199254740993", "="},
		{big, "9007199254740992", ">"},
		{int64(math.MaxInt64), float64(1 << 63), "<"},
		{int64(math.MinInt64), -float64(1 << 63), "="},
		{int64(math.MinInt64), math.Inf(-1), ">"},
		{int64(0), math.NaN(), "?"},
		{math.NaN(), math.NaN(), "?"},
		{"9", "10", "<"},
		{"1200.50", int64(1000), ">"},
		{"1e3", int64(1000), "="},
		{"12345678901234567890", "12345678901234567891", "<"},
		{"-12345678901234567890", "-12345678901234567891", ">"},
		{"12345678901234567890", int64(1), ">"},
		{"-12345678901234567890", "12345678901234567890", "<"},
		{"007", int64(7), "?"},
		{" 7", int64(7), "?"},
		{"", int64(0), "?"},
		{"abc", "abd", "<"},
		{"abc", int64(1), "?"},
		{"2024-01-02", "2024-01-10", "<"},
		{nil, int64(1), "?"},
		{int64(1), nil, "?"},
		{nil, nil, "?"},
		{true, false, "?"},
		{[]any{}, []any{}, "?"},
		{Time(1), Time(2), "<"},
		{Time(1), int64(2), "?"},
		{"1e999", int64(1), "?"},
		{strings.Repeat("9", 500), int64(1), "?"},
	}
	for _, tt := range tests {
		c, ok := Compare(tt.a, tt.b)
		got := "?"
		if ok {
			got = string("<=>"[c+1])
		}
		if got != tt.want {
			t.Errorf("Compare(%v, %v) is %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	deep := func(n int) any {
		var v any = int64(1)
		for range n {
			v = []any{v}
		}
		return v
	}
	var wide any = []any{}
	for range 40 {
		wide = []any{wide, wide}
	}
	tests := []struct {
		a, b any
		want bool
	}{
		{nil, nil, true}, {nil, false, false}, {nil, "", false}, {false, nil, false},
		{int64(7), "7", true}, {"7", int64(7), true}, {"7", "7.0", false}, {"07", "7", false}, {int64(7), "07", false},
		{int64(7), 7.0, true}, {0.1, "0.1", true}, {int64(1<<53) + 1, float64(1 << 53), false},
		{true, true, true}, {true, "true", false}, {"a", "a", true},
		{[]any{int64(1), "2"}, []any{"1", int64(2)}, true}, {[]any{int64(1)}, []any{}, false},
		{map[string]any{"a": nil}, map[string]any{"b": nil}, false},
		{map[string]any{"a": int64(1)}, map[string]any{"a": 1.0}, true},
		{Time(5), Time(5), true}, {Time(5), int64(5), false},
		{deep(900), deep(900), true},
		{deep(5000), deep(5000), false}, // gives up
		{wide, wide, false},             // gives up: 2^40 parts
	}
	for i, tt := range tests {
		if got := Equal(tt.a, tt.b); got != tt.want {
			t.Errorf("case %d: Equal is %v", i, got)
		}
	}
}

// Compare is the mirror of itself and agrees with Equal on numbers.
func TestCompareProperties(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(
		rapid.Int64().AsAny(), rapid.Float64().AsAny(),
		rapid.Map(rapid.Int64(), func(i int64) any { return fmt.Sprint(i) }),
		rapid.Map(rapid.Int64(), func(i int64) any { return float64(i) }),
		rapid.Just[any](nil), rapid.StringMatching(`[0-9a.-]{0,4}`).AsAny(),
	)
	rapid.Check(t, func(t *rapid.T) {
		a, b := value.Draw(t, "a"), value.Draw(t, "b")
		x, ok := Compare(a, b)
		y, ok2 := Compare(b, a)
		if ok != ok2 || x != -y {
			t.Fatalf("Compare(%v, %v) is %d %v, the other way %d %v", a, b, x, ok, y, ok2)
		}
		if Equal(a, b) != Equal(b, a) {
			t.Fatalf("Equal(%v, %v) depends on the order", a, b)
		}
		if _, text := a.(string); !text && ok && (x == 0) != Equal(a, b) {
			t.Fatalf("Compare(%v, %v) is %d but Equal is %v", a, b, x, Equal(a, b))
		}
	})
}
