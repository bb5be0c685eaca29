package expression

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain gives a function without a predicate. What is not here is not
// available: of expr's built-in functions those that read a clock or a time
// zone (now, date, duration, timezone), whose result has no fixed order (keys,
// values, toPairs, groupBy), or that make large things of small ones (repeat).
func plain(name string) (Func, bool) {
	f, ok := functions()[name]
	return f, ok
}

func builtinNames() []string {
	return append(slices.Sorted(maps.Keys(functions())), loops...)
}

// functions is the allow list. It is called when an expression is compiled.
func functions() map[string]Func {
	return map[string]Func{
		"len": fixed(1, length), "type": fixed(1, kind),
		"int": fixed(1, toInt), "float": fixed(1, toFloat), "string": fixed(1, toText),
		"abs": round1("abs", math.Abs), "ceil": round1("ceil", math.Ceil), "floor": round1("floor", math.Floor), "round": round1("round", math.Round),
		"min": {1, 20, least(-1)}, "max": {1, 20, least(1)},

		"lower": text("lower", strings.ToLower), "upper": text("upper", strings.ToUpper),
		"trim": trim("trim", strings.TrimSpace, strings.Trim), "trimPrefix": trim("trimPrefix", nil, strings.TrimPrefix), "trimSuffix": trim("trimSuffix", nil, strings.TrimSuffix),
		"hasPrefix": has(strings.HasPrefix), "hasSuffix": has(strings.HasSuffix),
		"indexOf": index("indexOf", strings.Index), "lastIndexOf": index("lastIndexOf", strings.LastIndex),
		"split": {2, 3, split}, "join": {1, 2, join}, "replace": {3, 4, replace},
		"toBase64": fixed(1, toBase64), "fromBase64": fixed(1, fromBase64),

		"first": fixed(1, end(key{isIndex: true})), "last": fixed(1, end(key{isIndex: true, index: -1})),
		"get": fixed(2, get), "take": fixed(2, take), "reverse": fixed(1, reverse), "concat": {1, 20, concat},
		"flatten": fixed(1, flatten), "uniq": fixed(1, uniq), "sort": {1, 2, sorted},

		"fromUnix": fromUnix("fromUnix", 1_000_000), "fromUnixMilli": fromUnix("fromUnixMilli", 1000), "fromUnixMicro": fromUnix("fromUnixMicro", 1),
		"parseTime": fixed(1, parseTime), "fromMinor": fixed(2, fromMinor),
	}
}

func fixed(n int, call func(*Machine, []any) (any, error)) Func { return Func{n, n, call} }

// countOf words how many arguments a function takes.
func countOf(least, most int) string {
	switch {
	case least != most:
		return fmt.Sprintf("%d to %d arguments", least, most)
	case least == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", least)
}

func wants(name, what string, v any) error {
	return fmt.Errorf("%s wants %s, not %s", name, what, describe(v))
}

func length(m *Machine, args []any) (any, error) {
	switch x := args[0].(type) {
	case nil:
		return int64(0), nil
	case string:
		return int64(utf8.RuneCountInString(x)), m.work(len(x))
	case []any:
		return int64(len(x)), nil
	case map[string]any:
		return int64(len(x)), nil
	}
	return nil, wants("len", "a text, list or map", args[0])
}

func kind(_ *Machine, args []any) (any, error) {
	switch args[0].(type) {
	case nil:
		return "nil", nil
	case bool:
		return "bool", nil
	case int64:
		return "int", nil
	case float64:
		return "float", nil
	case string:
		return "string", nil
	case []any:
		return "array", nil
	case Time:
		return "time", nil
	}
	return "map", nil
}

func toInt(_ *Machine, args []any) (any, error) {
	v := args[0]
	if s, ok := v.(string); ok {
		v = strings.TrimSpace(s)
	}
	if v == nil || v == "" {
		return nil, nil
	}
	n, ok := toNumber(v)
	if !ok {
		return nil, fmt.Errorf("int(%s): not a number", describe(args[0]))
	}
	if n.whole {
		return n.i, nil
	}
	if n.big != "" || !(math.Abs(n.f) < 1<<63) {
		return nil, fmt.Errorf("int(%s): %w", describe(args[0]), errOverflow)
	}
	return int64(n.f), nil
}

func toFloat(_ *Machine, args []any) (any, error) {
	v := args[0]
	if s, ok := v.(string); ok {
		v = strings.TrimSpace(s)
	}
	if v == nil || v == "" {
		return nil, nil
	}
	n, ok := toNumber(v)
	if !ok {
		return nil, fmt.Errorf("float(%s): not a number", describe(args[0]))
	}
	return n.float(), nil
}

func toText(m *Machine, args []any) (any, error) {
	switch x := args[0].(type) {
	case nil, string:
		return x, nil
	case bool:
		return strconv.FormatBool(x), nil
	case int64:
		return strconv.FormatInt(x, 10), m.Grow(20)
	case float64:
		return formatFloat(x), m.Grow(24)
	case Time:
		return x.String(), m.Grow(32)
	}
	return nil, wants("string", "a single value", args[0])
}

// formatFloat gives the shortest text that reads back as the same number,
// without an exponent in the range of everyday numbers.
func formatFloat(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// round1 makes a function of a number that keeps a whole number whole.
func round1(name string, f func(float64) float64) Func {
	return fixed(1, func(_ *Machine, args []any) (any, error) {
		if args[0] == nil {
			return nil, nil
		}
		n, ok := toNumber(args[0])
		if !ok || n.big != "" {
			return nil, wants(name, "a number", args[0])
		}
		if !n.whole {
			return f(n.f), nil
		}
		if name == "abs" && n.i < 0 {
			if n.i == math.MinInt64 {
				return nil, errOverflow
			}
			return -n.i, nil
		}
		return n.i, nil
	})
}

// least gives min (sign -1) or max (1) of its arguments or of one list. What
// is missing does not count.
func least(sign int) func(*Machine, []any) (any, error) {
	return func(m *Machine, args []any) (any, error) {
		if list, ok := args[0].([]any); ok && len(args) == 1 {
			args = list
		}
		var best any
		for _, v := range args {
			if err := m.step(1); err != nil {
				return nil, err
			}
			if v == nil {
				continue
			}
			if best == nil {
				best = v
				continue
			}
			order, ok := Compare(v, best)
			if !ok {
				return nil, fmt.Errorf("min and max cannot compare %s and %s", describe(v), describe(best))
			}
			if order == sign {
				best = v
			}
		}
		return best, nil
	}
}

// get reads a member whose name is computed.
func get(_ *Machine, args []any) (any, error) {
	v, _ := item(args[0], dynamicKey(args[1]))
	return v, nil
}

// fromMinor turns an amount in the smallest unit of a currency into a decimal
// text, exactly: fromMinor(1250, "EUR") and fromMinor(1250, 2) are "12.50". The
// number of decimals of a currency is that of ISO 4217.
func fromMinor(_ *Machine, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	amount, ok := toNumber(args[0])
	if !ok || !amount.whole {
		return nil, wants("fromMinor", "a whole number", args[0])
	}
	decimals := int64(2)
	switch x := args[1].(type) {
	case int64:
		decimals = x
	case string:
		decimals = currencyDecimals(strings.ToUpper(x))
	}
	if decimals < 0 || decimals > 6 {
		return nil, fmt.Errorf("fromMinor takes 0 to 6 decimals, not %d", decimals)
	}
	digits := strconv.FormatUint(magnitude(amount.i), 10)
	if pad := int(decimals) + 1 - len(digits); pad > 0 {
		digits = "000000"[:pad] + digits
	}
	if decimals > 0 {
		cut := len(digits) - int(decimals)
		digits = digits[:cut] + "." + digits[cut:]
	}
	if amount.i < 0 {
		digits = "-" + digits
	}
	return digits, nil
}

// currencyDecimals follows the table of ISO 4217 (six-group.com, list one).
func currencyDecimals(currency string) int64 {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

func toBase64(m *Machine, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return missingOr("toBase64", args[0])
	}
	if err := m.Grow(base64.StdEncoding.EncodedLen(len(s))); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

func fromBase64(m *Machine, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return missingOr("fromBase64", args[0])
	}
	if err := m.Grow(len(s)); err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(b) || slices.Contains(b, 0) {
		return nil, fmt.Errorf("fromBase64: not the base64 form of a text")
	}
	return string(b), nil
}

// missingOr passes a missing text on and refuses anything else.
func missingOr(name string, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	return nil, wants(name, "a text", v)
}
