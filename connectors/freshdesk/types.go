package freshdesk

import (
	"encoding/json"
	"slices"
	"strings"
)

// contact is what is read of a contact. Ids are integers.
type contact struct {
	ID          json.Number    `json:"id"`
	Name        string         `json:"name"`
	Email       string         `json:"email"`
	OtherEmails []string       `json:"other_emails"`
	Phone       string         `json:"phone"`
	Mobile      string         `json:"mobile"`
	ExternalID  string         `json:"unique_external_id"`
	JobTitle    string         `json:"job_title"`
	CompanyID   json.Number    `json:"company_id"`
	Deleted     bool           `json:"deleted"`
	CreatedAt   string         `json:"created_at"`
	UpdatedAt   string         `json:"updated_at"`
	Tags        []string       `json:"tags"`
	Fields      map[string]any `json:"custom_fields"`
}

// has reports whether an address is the contact's, as its main or a further one.
func (c *contact) has(email string) bool {
	return strings.EqualFold(c.Email, email) ||
		slices.ContainsFunc(c.OtherEmails, func(other string) bool { return strings.EqualFold(other, email) })
}

// carries reports whether the contact has a tag; case says nothing.
func (c *contact) carries(tag string) bool {
	return slices.ContainsFunc(c.Tags, func(held string) bool { return strings.EqualFold(held, tag) })
}

// contactWrite changes a contact, or with name and e-mail makes one. Tags are
// the whole list; nil leaves it alone.
type contactWrite struct {
	Name   string         `json:"name,omitempty"`
	Email  string         `json:"email,omitempty"`
	Fields map[string]any `json:"custom_fields,omitempty"`
	Tags   *[]string      `json:"tags,omitempty"`
}

// contactField is one field of contacts. Name is what is written to; Freshdesk
// makes it out of the label.
type contactField struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Type  string `json:"type"`
}

// newField makes a field that customers neither see nor change.
type newField struct {
	Label             string `json:"label"`
	LabelForCustomers string `json:"label_for_customers"`
	Type              string `json:"type"`
	Displayed         bool   `json:"displayed_for_customers"`
	Editable          bool   `json:"customers_can_edit"`
	InSignup          bool   `json:"editable_in_signup"`
}

// problem is an error answer: either a description with the fields complained
// of, or a code with a message.
type problem struct {
	Description string `json:"description"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	Errors      []struct {
		Field      string `json:"field"`
		Message    string `json:"message"`
		Code       string `json:"code"`
		Additional struct {
			UserID json.Number `json:"user_id"`
		} `json:"additional_info"`
	} `json:"errors"`
}
