package salesforcemarketingcloud

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// row is one row of a rowset. A column that is not named keeps its value.
type row struct {
	Keys   map[string]string `json:"keys"`
	Values map[string]any    `json:"values"`

	index int // of the update
}

// differs reports whether there is anything to write.
func differs(u *connectors.Update) bool {
	return stageDiffers(u) || segmentsDiffer(u) || len(changedTraits(u)) > 0
}

func stageDiffers(u *connectors.Update) bool {
	return u.Want.Stage != "" && (u.Known == nil || u.Known.Stage != u.Want.Stage)
}

// segmentsDiffer compares the managed set; the column holds nothing else.
func segmentsDiffer(u *connectors.Update) bool {
	if len(u.Want.Segments)+len(u.Want.Absent) == 0 {
		return false
	}
	if u.Known == nil {
		return true
	}
	return slices.ContainsFunc(u.Want.Segments, func(s string) bool { return !slices.Contains(u.Known.Segments, s) }) ||
		slices.ContainsFunc(u.Want.Absent, func(s string) bool { return !slices.Contains(u.Known.Absent, s) })
}

func changedTraits(u *connectors.Update) map[string]any {
	changed := map[string]any{}
	for column, value := range u.Want.Traits {
		if u.Known != nil {
			if held, ok := u.Known.Traits[column]; ok && cell(held) == cell(value) {
				continue
			}
		}
		changed[column] = cell(value)
	}
	return changed
}

// row makes the row of a person under a contact key; refused says why there can
// be none.
func (c *Connector) row(u *connectors.Update, key string) (r row, refused string) {
	r = row{Keys: map[string]string{columnKey: key}, Values: changedTraits(u)}
	if email := strings.TrimSpace(u.Email); email != "" {
		r.Values[columnEmail] = email
	}
	if stageDiffers(u) {
		r.Values[columnStage] = u.Want.Stage
		if u.Want.Since != 0 {
			r.Values[columnStageAt] = u.Want.Since.Time().UTC().Format(time.RFC3339)
		}
	}
	if segmentsDiffer(u) {
		list := listOf(u.Want.Segments)
		if utf8.RuneCountInString(list) > segmentsLength {
			return row{}, "the list of segments is longer than the 4000 characters of its column; name fewer under push.segments"
		}
		r.Values[columnSegments] = list
	}
	return r, ""
}

// The list's comma, where a segment's name has one.
var (
	listEscape   = strings.NewReplacer("%", "%25", ",", "%2C")
	listUnescape = strings.NewReplacer("%2C", ",", "%25", "%")
)

// listOf writes segments with a comma on both sides of each, so that a filter
// can ask for ",vip," and not find vip_old.
func listOf(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteByte(',')
	for _, s := range slices.Sorted(slices.Values(segments)) {
		b.WriteString(listEscape.Replace(s) + ",")
	}
	return b.String()
}

// segmentsIn reads such a list.
func segmentsIn(list string) []string {
	var names []string
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			names = append(names, listUnescape.Replace(s))
		}
	}
	return names
}

// cell spells a trait for a column; nil empties it. A list or map becomes JSON.
func cell(value any) any {
	switch x := value.(type) {
	case nil:
		return nil
	case string:
		if utf8.RuneCountInString(x) > traitLength {
			return string([]rune(x)[:traitLength])
		}
		return x
	case bool, int64, float64, int:
		return x
	}
	b, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return cell(string(b))
}
