package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	// KeyColumn holds what makes two rows one event; empty: each row is one.
	KeyColumn string
	// File identifies the file by its content, so that reading it again brings
	// nothing twice.
	File string
}

// Event makes the raw event of a row.
func (m *Mapper) Event(row *Row) (connectors.RawEvent, error) {
	if row.Err != nil {
		return connectors.RawEvent{}, row.Err
	}
	e := connectors.RawEvent{Type: m.Type, Format: connectors.FormatJSON, Body: row.Body}
	values, err := members(row.Body)
	if err != nil {
		return e, err
	}
	if m.TypeColumn != "" {
		if e.Type = values.text(m.TypeColumn); e.Type == "" {
			return e, fmt.Errorf("it has no %s, which names the event's type", m.TypeColumn)
		}
	}
	if m.TimeColumn != "" {
		text := values.text(m.TimeColumn)
		at, err := m.time(text)
		if err != nil {
			return e, fmt.Errorf("%s is %q, %w", m.TimeColumn, text, err)
		}
		e.At = lifecycle.At(at)
	}
	if m.KeyColumn == "" {
		e.Dedupe = connectors.Dedupe("import", m.File, strconv.FormatInt(row.Line, 10))
		return e, nil
	}
	key := values.text(m.KeyColumn)
	if key == "" {
		return e, fmt.Errorf("it has no %s, which tells rows apart", m.KeyColumn)
	}
	e.Dedupe = connectors.Dedupe("import key", e.Type, key)
	return e, nil
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
