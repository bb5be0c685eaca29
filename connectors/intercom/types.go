package intercom

// contact is what is read of a contact.
type contact struct {
	ID           string         `json:"id"`
	Role         string         `json:"role"` // user or lead
	ExternalID   string         `json:"external_id"`
	Email        string         `json:"email"`
	Phone        string         `json:"phone"`
	Name         string         `json:"name"`
	Unsubscribed bool           `json:"unsubscribed_from_emails"`
	UpdatedAt    int64          `json:"updated_at"` // Unix seconds
	Attributes   map[string]any `json:"custom_attributes"`
	Tags         struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
		More bool `json:"has_more"`
	} `json:"tags"`
}

// contactWrite changes a contact, or with role and identity makes one. Consent
// is not in it, so that it can't be written.
type contactWrite struct {
	Role       string         `json:"role,omitempty"`
	ExternalID string         `json:"external_id,omitempty"`
	Email      string         `json:"email,omitempty"`
	Attributes map[string]any `json:"custom_attributes,omitempty"`
}

type contactList struct {
	Data  []contact `json:"data"`
	Pages struct {
		Next struct {
			After string `json:"starting_after"`
		} `json:"next"`
	} `json:"pages"`
}

// filter is one condition of a search.
type filter struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    any    `json:"value"`
}

type search struct {
	Query filter `json:"query"`
	Page  page   `json:"pagination"`
}

type page struct {
	Size  int    `json:"per_page"`
	After string `json:"starting_after,omitempty"`
}

// attribute is a data attribute of contacts.
type attribute struct {
	Name     string `json:"name"`
	Model    string `json:"model"`
	Type     string `json:"data_type"`
	Archived bool   `json:"archived,omitempty"`
	// Custom and Writable are in answers only.
	Custom   *bool `json:"custom,omitempty"`
	Writable *bool `json:"api_writable,omitempty"`
}

type tag struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type tagList struct {
	Data []tag `json:"data"`
}

// problem is an error answer.
type problem struct {
	Errors []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field"`
	} `json:"errors"`
}
