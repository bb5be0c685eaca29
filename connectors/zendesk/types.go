package zendesk

import "encoding/json"

// user is what is read of a user. Zendesk's ids are integers.
type user struct {
	ID         json.Number    `json:"id"`
	Name       string         `json:"name"`
	Email      string         `json:"email"`
	ExternalID string         `json:"external_id"`
	Role       string         `json:"role"`
	Active     *bool          `json:"active"`
	UpdatedAt  string         `json:"updated_at"`
	Tags       []string       `json:"tags"`
	Fields     map[string]any `json:"user_fields"`
}

// gone reports whether a user that is still shown has been deleted.
func (u *user) gone() bool { return u.Active != nil && !*u.Active }

type usersAnswer struct {
	Users []user `json:"users"`
	// AfterCursor and EndOfStream come with an export only.
	AfterCursor string `json:"after_cursor"`
	EndOfStream bool   `json:"end_of_stream"`
}

// userWrite changes the user of an id, or with name and e-mail makes one.
type userWrite struct {
	ID     json.Number    `json:"id,omitempty"`
	Name   string         `json:"name,omitempty"`
	Email  string         `json:"email,omitempty"`
	Fields map[string]any `json:"user_fields,omitempty"`
	// SkipVerify keeps Zendesk from writing to a user that is made.
	SkipVerify bool `json:"skip_verify_email,omitempty"`
}

// userField is one field that users have beside Zendesk's own.
type userField struct {
	ID          json.Number `json:"id,omitempty"`
	Key         string      `json:"key"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	Active      *bool       `json:"active,omitempty"`
}

// job is a job of Zendesk's. Results is an object for some jobs, a list for
// ours, and null while it runs.
type job struct {
	ID      string          `json:"id"`
	Status  string          `json:"status"`
	Message string          `json:"message"`
	Results json.RawMessage `json:"results"`
}

type jobAnswer struct {
	Job job `json:"job_status"`
}

type jobResult struct {
	ID      json.Number `json:"id"`
	Index   *int        `json:"index"`
	Success *bool       `json:"success"`
	Error   string      `json:"error"`
	Details string      `json:"details"`
}

// webhook is one webhook of the account.
type webhook struct {
	ID            string   `json:"id,omitempty"`
	Name          string   `json:"name,omitempty"`
	Status        string   `json:"status,omitempty"`
	Endpoint      string   `json:"endpoint,omitempty"`
	Method        string   `json:"http_method,omitempty"`
	Format        string   `json:"request_format,omitempty"`
	Subscriptions []string `json:"subscriptions,omitempty"`
}
