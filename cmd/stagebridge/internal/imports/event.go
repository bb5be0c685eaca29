package imports

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Mapper turns rows into raw events of a connection.
type Mapper struct {
	// Type of every event, unless TypeColumn names the column that holds it.
	Type, TypeColumn string
	// TimeColumn holds the event's time; empty where the file has none.
	TimeColumn string
	// Layout of the time in Go's notation; empty takes RFC 3339, a date,
	// YYYYMMDD, and seconds or milliseconds since 1970.
	Layout string
	// Zone of times that name none.
	Zone *time.Location
	// KeyColumn holds what makes two rows one event; empty: each row of a file is
	// one, and it is the same one as the row of equal content and turn in every
	// other file, so that a longer or mended file brings only what is new in it.
	KeyColumn string
	// Repeats counts rows of equal content; nil takes them for one event.
	Repeats *Repeats
}

// Event makes the raw event of a row.
func (m *Mapper) Event(row *Row) (connectors.RawEvent, error) {
	e, values, err := m.event(row)
	if err != nil {
		return e, err
	}
	if m.KeyColumn == "" {
		content, turn := contentOf(e.Type, values), int64(1)
		if m.Repeats != nil {
			turn = m.Repeats.turn(binary.BigEndian.Uint64(content))
		}
		e.Dedupe = connectors.Dedupe("import row", string(content), strconv.FormatInt(turn, 10))
		return e, nil
	}
	key := values.text(m.KeyColumn)
	if key == "" {
		return e, fmt.Errorf("it has no %s, which tells rows apart", m.KeyColumn)
	}
	e.Dedupe = connectors.Dedupe("import key", e.Type, key)
	return e, nil
}

// contentOf hashes an event's type and members, in whatever order and with
// whatever blanks they were written.
func contentOf(kind string, values object) []byte {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var value bytes.Buffer
		if json.Compact(&value, values[name]) != nil {
			value.Write(values[name]) // it was valid before, so this is not reached
		}
		fmt.Fprintf(h, "%d:%s%d:", len(name), name, value.Len())
		h.Write(value.Bytes())
	}
	fmt.Fprintf(h, "%s", kind)
	return h.Sum(nil)
}

// event is Event without the key.
func (m *Mapper) event(row *Row) (connectors.RawEvent, object, error) {
	if row.Err != nil {
		return connectors.RawEvent{}, nil, row.Err
	}
	e := connectors.RawEvent{Type: m.Type, Format: connectors.FormatJSON, Body: row.Body}
	values, err := members(row.Body)
	if err != nil {
		return e, nil, err
	}
	if m.TypeColumn != "" {
		if e.Type = values.text(m.TypeColumn); e.Type == "" {
			return e, nil, fmt.Errorf("it has no %s, which names the event's type", m.TypeColumn)
		}
	}
	if m.TimeColumn != "" {
		text := values.text(m.TimeColumn)
		at, err := m.time(text)
		if err != nil {
			return e, nil, fmt.Errorf("%s is %q, %w", m.TimeColumn, text, err)
		}
		e.At = lifecycle.At(at)
	}
	return e, values, nil
}

type object map[string]json.RawMessage

func members(body []byte) (object, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, errors.New("it is no JSON object")
	}
	return o, nil
}

// text gives a member as text; empty where there is none, or no scalar.
func (o object) text(name string) string {
	raw := bytes.TrimSpace(o[name])
	var s string
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
		return ""
	case raw[0] == '"' && json.Unmarshal(raw, &s) == nil:
		return strings.TrimSpace(s)
	}
	return string(raw)
}

// layouts are tried in order. Those without a zone are read in Mapper.Zone.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", time.DateOnly, "20060102"}

// Bounds of a number of seconds since 1970 (until 2286); a larger number is one
// of milliseconds.
const maxSeconds = 10_000_000_000

func (m *Mapper) time(text string) (time.Time, error) {
	zone := m.Zone
	if zone == nil {
		zone = time.UTC
	}
	if m.Layout != "" {
		t, err := time.ParseInLocation(m.Layout, text, zone)
		if err != nil {
			return t, fmt.Errorf("want the form %s", m.Layout)
		}
		return t, nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || n < 0 || n > maxSeconds*1000:
		return time.Time{}, errors.New("want a date, a time, or a number since 1970")
	case n > maxSeconds:
		return time.UnixMilli(n), nil
	}
	return time.Unix(n, 0), nil
}
