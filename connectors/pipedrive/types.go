package pipedrive

import (
	"encoding/json"
	"strconv"
)

// text is a JSON string, number or boolean as text, and empty for any other
// value: meta writes ids as texts, data as numbers, and older webhooks the
// other way round.
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

// person is a person as the API shows one, cut to what is used.
type person struct {
	ID        int64                      `json:"id"`
	Name      string                     `json:"name"`
	FirstName string                     `json:"first_name"`
	LastName  string                     `json:"last_name"`
	JobTitle  string                     `json:"job_title"`
	Emails    []address                  `json:"emails"`
	Phones    []address                  `json:"phones"`
	OrgID     *int64                     `json:"org_id"`
	Updated   string                     `json:"update_time"`
	Custom    map[string]json.RawMessage `json:"custom_fields"`
}

// address is one e-mail address or phone number.
type address struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
	Label   string `json:"label,omitempty"`
}

// chief gives the primary one, else the first, else "".
func chief(all []address) string {
	for _, a := range all {
		if a.Primary && a.Value != "" {
			return a.Value
		}
	}
	if len(all) > 0 {
		return all[0].Value
	}
	return ""
}

func (p *person) id() string { return strconv.FormatInt(p.ID, 10) }

// personWrite is the body that creates or changes a person. It has neither
// labels nor a marketing status on purpose, and addresses only for somebody
// new: an update replaces them as a whole.
type personWrite struct {
	Name   string         `json:"name,omitempty"`
	Emails []address      `json:"emails,omitempty"`
	Custom map[string]any `json:"custom_fields,omitempty"`
}

// found is the answer of a search.
type found struct {
	Items []struct {
		Item struct {
			ID     int64    `json:"id"`
			Emails []string `json:"emails"`
		} `json:"item"`
	} `json:"items"`
}

// field is a field of persons with its options.
type field struct {
	Name    string   `json:"field_name"`
	Code    string   `json:"field_code"`
	Type    string   `json:"field_type"`
	Options []option `json:"options"`
	Custom  bool     `json:"is_custom_field"`
}

type option struct {
	ID    int64  `json:"id,omitempty"`
	Label string `json:"label"`
}

// newField is the body that creates a field.
type newField struct {
	Name    string   `json:"field_name"`
	Type    string   `json:"field_type"`
	Options []option `json:"options"`
}

// webhook is one webhook of the company.
type webhook struct {
	ID       int64  `json:"id,omitempty"`
	Name     string `json:"name"`
	URL      string `json:"subscription_url"`
	Action   string `json:"event_action"`
	Object   string `json:"event_object"`
	Version  string `json:"version"`
	User     string `json:"http_auth_user"`
	Password string `json:"http_auth_password"`
	// Active is 1, or 0 once Pipedrive has given the webhook up.
	Active *float64 `json:"is_active,omitempty"`
}

// me is the user whose token it is.
type me struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Company int64  `json:"company_id"`
	Account string `json:"company_name"`
	Domain  string `json:"company_domain"`
}
