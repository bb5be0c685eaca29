package mapping

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// microDigits is how many decimals a micro-unit has.
const microDigits = 6

var (
	errAmount   = errors.New("is not an amount")
	errTooLarge = errors.New("is too large an amount")
)

// decimal is a number as digits: 0.d1d2d3… × 10^point. Leading and trailing
// zeros are gone; zero has no digits.
type decimal struct {
	minus  bool
	digits string
	point  int
}

// parseDecimal reads a decimal number with an optional sign, fraction and
// exponent. Separators of thousands and currency signs are refused: 1,200
// means two things.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	switch {
	case strings.HasPrefix(s, "-"):
		d.minus, s = true, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if len(s) > 400 {
		return d, false
	}
	mantissa, exponent, scientific := cutExponent(s)
	if scientific {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > 400 || e < -400 {
			return d, false
		}
		d.point = e
	}
	whole, fraction, dotted := strings.Cut(mantissa, ".")
	if !allDigits(whole) || !allDigits(fraction) || whole == "" || dotted && fraction == "" {
		return d, false
	}
	d.point += len(whole)
	all := whole + fraction
	trimmed := strings.TrimLeft(all, "0")
	d.point -= len(all) - len(trimmed)
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func cutExponent(s string) (mantissa, exponent string, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// sameDecimal tells whether two texts spell the same number.
func sameDecimal(a, b string) bool {
	x, ok := parseDecimal(a)
	y, ok2 := parseDecimal(b)
	return ok && ok2 && x == y
}

// significant counts the digits of a number's mantissa, zeros included.
func significant(s string) int {
	mantissa, _, _ := cutExponent(s)
	n := 0
	for i := range len(mantissa) {
		if mantissa[i] >= '0' && mantissa[i] <= '9' {
			n++
		}
	}
	return n
}

// micros gives millionths, exactly; digits beyond are rounded half away from
// zero, since they come from arithmetic on fractions.
func (d decimal) micros() (int64, error) {
	keep := d.point + microDigits // digits left of the point of the result
	if len(d.digits) == 0 || keep < 0 {
		return 0, nil
	}
	if keep > 19 {
		return 0, errTooLarge
	}
	var n uint64
	for i := range keep {
		digit := uint64(0)
		if i < len(d.digits) {
			digit = uint64(d.digits[i] - '0')
		}
		hi, lo := bits.Mul64(n, 10)
		if hi != 0 || lo+digit < lo {
			return 0, errTooLarge
		}
		n = lo + digit
	}
	if keep < len(d.digits) && d.digits[keep] >= '5' {
		n++
	}
	if n > math.MaxInt64 {
		return 0, errTooLarge
	}
	if d.minus {
		return -int64(n), nil
	}
	return int64(n), nil
}

// amount reads a sum of money from a number or a text of one.
func amount(v any) (int64, error) {
	switch x := v.(type) {
	case int64:
		if x > math.MaxInt64/1_000_000 || x < math.MinInt64/1_000_000 {
			return 0, errTooLarge
		}
		return x * 1_000_000, nil
	case float64:
		return textAmount(strconv.FormatFloat(x, 'f', -1, 64))
	case string:
		return textAmount(strings.TrimSpace(x))
	}
	return 0, errAmount
}

func textAmount(s string) (int64, error) {
	d, ok := parseDecimal(s)
	if !ok {
		return 0, errAmount
	}
	return d.micros()
}

// currency reads an ISO 4217 code.
func currency(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("is %s, want a currency code such as EUR", describe(v))
	}
	code := strings.ToUpper(strings.TrimSpace(s))
	if len(code) != 3 || strings.ContainsFunc(code, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return "", fmt.Errorf("is %s, want a currency code of three letters such as EUR", describe(v))
	}
	return code, nil
}

// formatMicros gives an amount as a decimal text without needless zeros beyond
// two decimals: 1200.50, 0.000001.
func formatMicros(m lifecycle.Money) string {
	sign, n := "", uint64(m.Micros)
	if m.Micros < 0 {
		sign, n = "-", -n
	}
	fraction := fmt.Sprintf("%06d", n%1_000_000)
	for len(fraction) > 2 && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	return fmt.Sprintf("%s%d.%s", sign, n/1_000_000, fraction)
}
