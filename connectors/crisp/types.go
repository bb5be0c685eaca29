package crisp

import "encoding/json"

// text is a JSON string, number or boolean as text, and empty for any other
// value.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
		return nil
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
		return nil
	}
	*t = text(b)
	return nil
}

// profile is a person as the API shows one, cut to what is used.
type profile struct {
	ID       string   `json:"people_id"`
	Email    string   `json:"email"`
	Person   person   `json:"person"`
	Segments []string `json:"segments"`
}

type person struct {
	Nickname string `json:"nickname,omitempty"`
}

// profileWrite is the body that makes or changes a profile. The whole list of
// segments is sent, since it replaces the one there.
type profileWrite struct {
	Email    string    `json:"email,omitempty"`
	Person   *person   `json:"person,omitempty"`
	Segments *[]string `json:"segments,omitempty"`
}

// dataWrite is custom data in its wrapping.
type dataWrite struct {
	Data map[string]any `json:"data"`
}

// meta is what a conversation says about its visitor.
type meta struct {
	Nickname string          `json:"nickname"`
	Email    string          `json:"email"`
	Phone    string          `json:"phone"`
	Segments []string        `json:"segments"`
	Data     json.RawMessage `json:"data"`
}
