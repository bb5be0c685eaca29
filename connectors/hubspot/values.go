package hubspot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// propertyText writes a trait as HubSpot takes it. Property values are texts
// only: "3", "true", "" to clear; several values are joined by semicolons
// (developers.hubspot.com, CRM properties guide).
func propertyText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = propertyText(e)
		}
		return strings.Join(parts, ";")
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(b)
	}
}

// maxOptionValue is the longest name used as an option's internal value as it
// is; a longer one is cut and told apart by its hash.
const maxOptionValue = 200

// optionValue is the internal value of an option for one of our names: the
// name itself wherever HubSpot can hold it. A semicolon separates the values of
// a multi-checkbox property, and white space at the ends is cut there, so such a
// name gets a value of its own; the label still shows the name.
func optionValue(name string) string {
	plain := strings.TrimSpace(name)
	if plain == name && !strings.Contains(name, ";") && len(name) <= maxOptionValue {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	plain = strings.ToValidUTF8(strings.ReplaceAll(plain, ";", "_")[:min(len(plain), maxOptionValue-9)], "")
	return plain + "-" + hex.EncodeToString(sum[:4])
}

// checkboxValues splits the value of a multi-checkbox property.
func checkboxValues(text string) []string {
	var values []string
	for v := range strings.SplitSeq(text, ";") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// digits reports whether a text is a number as HubSpot's ids are.
func digits(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// propertyName reports whether a text can be a property's internal name.
func propertyName(s string) bool {
	return s != "" && len(s) <= 100 && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// foldEmail is the form in which addresses are compared.
func foldEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
