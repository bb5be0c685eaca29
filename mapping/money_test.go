package mapping

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		v    any
		want int64
		ok   bool
	}{
		{int64(0), 0, true}, {int64(1200), 1_200_000_000, true}, {int64(-5), -5_000_000, true}, {int64(math.MaxInt64 / 1_000_000), 9_223_372_036_854_000_000, true},
		{int64(math.MaxInt64/1_000_000 + 1), 0, false}, {int64(math.MinInt64), 0, false},
		{"1200.50", 1_200_500_000, true}, {" 0.1 ", 100_000, true}, {"0.000001", 1, true}, {"0.0000004", 0, true}, {"0.0000005", 1, true}, {"-0.0000005", -1, true},
		{"1e3", 1_000_000_000, true}, {"1.5E-2", 15_000, true}, {"+7", 7_000_000, true}, {"007.10", 7_100_000, true}, {"0.00", 0, true}, {"-0", 0, true}, {"0e9", 0, true},
		{"9223372036854.775807", math.MaxInt64, true}, {"9223372036854.775808", 0, false}, {"99999999999999999999", 0, false}, {"1e400", 0, false}, {"1e-400", 0, true}, {"1e401", 0, false},
		{0.1, 100_000, true}, {1200.5, 1_200_500_000, true}, {19.99 * 3, 59_970_000, true}, {1e15, 0, false}, {math.Inf(1), 0, false}, {math.NaN(), 0, false},
		{"", 0, false}, {"x", 0, false}, {"1,200.50", 0, false}, {"€5", 0, false}, {"1.", 0, false}, {".5", 0, false}, {"1e", 0, false}, {"1 2", 0, false}, {"--1", 0, false}, {"0x10", 0, false},
		{nil, 0, false}, {true, 0, false}, {[]any{}, 0, false}, {strings.Repeat("9", 500), 0, false},
	}
	for _, tt := range tests {
		got, err := amount(tt.v)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("amount(%v) is %d, %v; want %d, %v", tt.v, got, err, tt.want, tt.ok)
		}
	}
}

// Every decimal text gives what exact arithmetic gives.
func TestAmountIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,9})?(e-?[0-3])?`).Draw(t, "s")
		got, err := amount(s)
		if err != nil {
			t.Skip()
		}
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Skip()
		}
		r.Mul(r, big.NewRat(1_000_000, 1))
		half := big.NewRat(1, 2)
		if r.Sign() < 0 {
			half.Neg(half)
		}
		r.Add(r, half)
		want := new(big.Int).Quo(r.Num(), r.Denom())
		if want.Int64() != got {
			t.Fatalf("%s is %d, want %s", s, got, want)
		}
	})
}

// A number of the JSON never changes its decimal value on the way to micros.
func TestDecodedNumbersKeepTheirDecimals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?`).Draw(t, "s")
		v, err := Decode("", []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		got, err := amount(v)
		want, err2 := amount(s)
		if err != nil || err2 != nil || got != want {
			t.Fatalf("%s is %d by way of %T, want %d (%v, %v)", s, got, v, want, err, err2)
		}
	})
}

func TestCurrency(t *testing.T) {
	t.Parallel()
	for v, want := range map[any]string{"EUR": "EUR", " usd ": "USD", "": "", "EURO": "", "E1R": "", "€": "", nil: "", int64(5): ""} {
		if got, err := currency(v); got != want || (err == nil) != (want != "") {
			t.Errorf("currency(%v) is %q, %v", v, got, err)
		}
	}
}

func TestFormatMicros(t *testing.T) {
	t.Parallel()
	for micros, want := range map[int64]string{0: "0.00", 1_200_500_000: "1200.50", 1: "0.000001", -5_000_000: "-5.00", math.MinInt64: "-9223372036854.775808"} {
		if got := formatMicros(lifecycle.Money{Micros: micros}); got != want {
			t.Errorf("%d is %s, want %s", micros, got, want)
		}
	}
}
