package customerio

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// valueOf makes a value fit for an attribute: texts are cut, and an empty text
// takes an attribute away.
func valueOf(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return cutBytes(v, maxValueBytes)
	case lifecycle.Instant:
		return v.Time().Unix()
	}
	return v
}

// textOf spells a value as the App API gives it back.
func textOf(v any) string {
	switch v := valueOf(v).(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(b)
	}
}

// state puts a person into our words. segments are the names to look for.
func (c *Connector) state(p *person, segments []string) connectors.State {
	s := connectors.State{Stage: textOf(p.Attributes[c.stage])}
	if at, err := strconv.ParseInt(textOf(p.Attributes[c.stage+stageTimeAfter]), 10, 64); err == nil && at > 0 && at <= maxSeconds {
		s.Since = lifecycle.Instant(at * 1e6)
	}
	for _, name := range segments {
		if textOf(p.Attributes[c.prefix+name]) == "true" {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	for name := range c.cfg.Push.Traits {
		value, ok := p.Attributes[name]
		if !ok {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = textOf(value)
	}
	return s
}
