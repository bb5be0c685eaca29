package helpscout

import (
	"encoding/json"
	"strconv"
	"strings"
)

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

// customer is a customer as the API shows one, cut to what is used.
type customer struct {
	ID           int64   `json:"id"`
	FirstName    string  `json:"firstName"`
	LastName     string  `json:"lastName"`
	JobTitle     string  `json:"jobTitle"`
	Organization string  `json:"organization"`
	Updated      string  `json:"updatedAt"`
	Emails       []email `json:"emails"`
	Embedded     struct {
		Emails []email `json:"emails"`
		// Properties is nil where the answer does not tell them.
		Properties *[]value `json:"properties"`
	} `json:"_embedded"`
}

type email struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value"`
}

// list holds addresses, and none where the value is something else.
type list []email

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(b []byte) error {
	var all []struct {
		Value text `json:"value"`
	}
	*l = nil
	if json.Unmarshal(b, &all) != nil {
		return nil
	}
	for _, one := range all {
		*l = append(*l, email{Value: string(one.Value)})
	}
	return nil
}

// value is one property of a customer. A drop-down has the option's id as its
// value and its label as its text.
type value struct {
	Slug  string `json:"slug"`
	Type  string `json:"type"`
	Value text   `json:"value"`
	Text  text   `json:"text"`
}

func (v value) plain() string {
	if v.Text != "" {
		return string(v.Text)
	}
	return string(v.Value)
}

func (c *customer) id() string { return strconv.FormatInt(c.ID, 10) }

// email gives the first address, or "".
func (c *customer) email() string {
	for _, e := range append(c.Embedded.Emails, c.Emails...) {
		if e.Value != "" {
			return e.Value
		}
	}
	return ""
}

// showsAddresses reports whether the answer tells any address of the customer.
func (c *customer) showsAddresses() bool { return len(c.Embedded.Emails)+len(c.Emails) > 0 }

// has reports whether the address is one of the customer's.
func (c *customer) has(address string) bool {
	for _, e := range append(c.Embedded.Emails, c.Emails...) {
		if strings.EqualFold(strings.TrimSpace(e.Value), address) {
			return true
		}
	}
	return false
}

// property gives the value under a slug, or "".
func (c *customer) property(slug string) string {
	if c.Embedded.Properties == nil {
		return ""
	}
	for _, v := range *c.Embedded.Properties {
		if v.Slug == slug {
			return v.plain()
		}
	}
	return ""
}

// page is an answer with several customers.
type page struct {
	Embedded struct {
		Customers []customer `json:"customers"`
	} `json:"_embedded"`
	Page struct {
		Number int `json:"number"`
		Total  int `json:"totalPages"`
	} `json:"page"`
}

// definition is a customer property of the account.
type definition struct {
	Type    string   `json:"type"`
	Slug    string   `json:"slug"`
	Name    string   `json:"name"`
	Options []option `json:"options,omitempty"`
}

type option struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// operation is one step of a change of properties (JSON Patch).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// customerCreate is the body that creates a customer.
type customerCreate struct {
	Emails []email `json:"emails"`
}

// webhook is one webhook of the account.
type webhook struct {
	ID           int64    `json:"id,omitempty"`
	URL          string   `json:"url"`
	Events       []string `json:"events"`
	Secret       string   `json:"secret,omitempty"`
	Version      string   `json:"payloadVersion"`
	Label        string   `json:"label"`
	Notification bool     `json:"notification"`
	Mailboxes    []int64  `json:"mailboxIds,omitempty"`
	State        string   `json:"state,omitempty"` // enabled or disabled
}
