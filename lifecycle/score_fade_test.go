package lifecycle

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestRootsAreSquareRoots(t *testing.T) {
	t.Parallel()
	exact := new(big.Float).SetPrec(300).SetFloat64(0.5)
	for i, root := range roots {
		exact.Sqrt(exact)
		scaled := new(big.Float).SetPrec(300).SetMantExp(exact, 63)
		want, _ := scaled.Add(scaled, big.NewFloat(0.5)).Int(nil)
		if want.Cmp(new(big.Int).SetUint64(root)) != 0 {
			t.Errorf("root %d is %x, want %x", i, root, want)
		}
	}
}

func TestFadeHalves(t *testing.T) {
	t.Parallel()
	day := scoreSpan
	for _, c := range []struct {
		p          points
		span, half Instant
		want       points
	}{
		{40 * onePoint, 0, 30 * day, 40 * onePoint},
		{40 * onePoint, -day, 30 * day, 40 * onePoint},
		{40 * onePoint, 30 * day, 30 * day, 20 * onePoint},
		{-40 * onePoint, 60 * day, 30 * day, -10 * onePoint},
		{40 * onePoint, 30 * day, 0, 40 * onePoint},
		{mostHeld, never, 1_000_000, 0},
		{1, 1, 30 * day, 0},
	} {
		if got := fade(c.p, c.span, c.half); got != c.want {
			t.Errorf("fade(%d, %d, %d) = %d, want %d", c.p, c.span, c.half, got, c.want)
		}
	}
}

func drawHalf(t *rapid.T) Instant {
	return Instant(rapid.Int64Range(1, 36500*24*3600).Draw(t, "seconds")) * 1_000_000
}

// Fading is what the formula says, and never rises.
func TestPropertyFade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		half := drawHalf(t)
		p := points(rapid.Int64Range(1, int64(mostHeld)).Draw(t, "points"))
		span := Instant(rapid.Int64Range(0, int64(half)*8).Draw(t, "span"))
		got := fade(p, span, half)
		want := float64(p) * math.Exp2(-float64(span)/float64(half))
		if off := math.Abs(float64(got) - want); off > 1+want*1e-12 {
			t.Fatalf("fade(%d, %d, %d) = %d, the formula gives %f", p, span, half, got, want)
		}
		later := span + Instant(rapid.Int64Range(0, 1000).Draw(t, "later"))
		if next := fade(p, later, half); next > got {
			t.Fatalf("%d after %d, %d after %d", got, span, next, later)
		}
		if fade(-p, span, half) != -got {
			t.Fatal("points below zero fade in another way")
		}
	})
}

// The instant found is the first one below the level.
func TestPropertyFadesBelow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		half := drawHalf(t)
		p := points(rapid.Int64Range(1, int64(mostHeld)).Draw(t, "points"))
		level := points(rapid.Int64Range(-2, int64(p)+2).Draw(t, "level"))
		if rapid.Bool().Draw(t, "small") {
			level %= 5
		}
		span := fadesBelow(p, level, half)
		if level <= 0 {
			if span != never {
				t.Fatalf("nothing fades below %d", level)
			}
			return
		}
		if fade(p, span, half) >= level || span > 0 && fade(p, span-1, half) < level {
			t.Fatalf("fadesBelow(%d, %d, %d) = %d, where it is %d, and %d before", p, level, half, span, fade(p, span, half), fade(p, span-1, half))
		}
	})
}
