package sendgrid

// contact is a contact as the API gives it. On reading, custom fields come by
// name; they are written by id.
type contact struct {
	ID            string         `json:"id"`
	Email         string         `json:"email"`
	PhoneNumberID string         `json:"phone_number_id"`
	ExternalID    string         `json:"external_id"`
	AnonymousID   string         `json:"anonymous_id"`
	FirstName     any            `json:"first_name"`
	LastName      any            `json:"last_name"`
	AddressLine1  any            `json:"address_line_1"`
	AddressLine2  any            `json:"address_line_2"`
	City          any            `json:"city"`
	State         any            `json:"state_province_region"`
	PostalCode    any            `json:"postal_code"`
	Country       any            `json:"country"`
	CustomFields  map[string]any `json:"custom_fields"`
}

// own gives the contact's reserved fields that a push may write.
func (c *contact) own() map[string]any {
	return map[string]any{
		"first_name": c.FirstName, "last_name": c.LastName, "address_line_1": c.AddressLine1, "address_line_2": c.AddressLine2,
		"city": c.City, "state_province_region": c.State, "postal_code": c.PostalCode, "country": c.Country,
	}
}

// identifiers are what a contact has to be named by: all that it has, or the
// write fails or makes a second contact.
func (c *contact) identifiers() map[string]any {
	all := map[string]any{}
	for name, value := range map[string]string{
		"email": c.Email, "phone_number_id": c.PhoneNumberID, "external_id": c.ExternalID, "anonymous_id": c.AnonymousID,
	} {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// searchAnswer is that of POST …/contacts/search/emails, by the address asked for.
type searchAnswer struct {
	Result map[string]struct {
		Contact *contact `json:"contact"`
	} `json:"result"`
}

// upsert is the body of PUT …/contacts.
type upsert struct {
	Contacts []map[string]any `json:"contacts"`
}

type jobAnswer struct {
	JobID string `json:"job_id"`
}

// importStatus is the state of a job.
type importStatus struct {
	Status  string `json:"status"`
	Results struct {
		Requested int64 `json:"requested_count"`
		Errored   int64 `json:"errored_count"`
	} `json:"results"`
}

// fieldDefinition is one custom field.
type fieldDefinition struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	Type string `json:"field_type"` // Text, Number or Date
}

// webhook is one event webhook.
type webhook struct {
	ID           string `json:"id,omitempty"`
	Enabled      bool   `json:"enabled"`
	URL          string `json:"url"`
	FriendlyName string `json:"friendly_name,omitempty"`
	switches
}

// switches say which events a webhook reports, by the names of the settings.
type switches struct {
	Processed        bool `json:"processed"`
	Delivered        bool `json:"delivered"`
	Deferred         bool `json:"deferred"`
	Open             bool `json:"open"`
	Click            bool `json:"click"`
	Bounce           bool `json:"bounce"`
	Dropped          bool `json:"dropped"`
	SpamReport       bool `json:"spam_report"`
	Unsubscribe      bool `json:"unsubscribe"`
	GroupUnsubscribe bool `json:"group_unsubscribe"`
	GroupResubscribe bool `json:"group_resubscribe"`
}

// of gives the switch of a raw event type; nil for one that has none.
func (s *switches) of(kind string) *bool {
	switch kind {
	case "processed":
		return &s.Processed
	case "delivered":
		return &s.Delivered
	case "deferred":
		return &s.Deferred
	case "open":
		return &s.Open
	case "click":
		return &s.Click
	case "bounce":
		return &s.Bounce
	case "dropped":
		return &s.Dropped
	case "spamreport":
		return &s.SpamReport
	case "unsubscribe":
		return &s.Unsubscribe
	case "group_unsubscribe":
		return &s.GroupUnsubscribe
	case "group_resubscribe":
		return &s.GroupResubscribe
	}
	return nil
}
