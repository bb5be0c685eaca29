package mailchimp

// The request and answer bodies of the Marketing API that this package reads
// and writes, cut to the members it uses.

// member is a contact of the audience.
type member struct {
	ID          string         `json:"id"`
	Email       string         `json:"email_address"`
	Status      string         `json:"status"`
	MergeFields map[string]any `json:"merge_fields"`
	TagsCount   int            `json:"tags_count"`
	Tags        []memberTag    `json:"tags"`
}

type memberTag struct {
	Name string `json:"name"`
}

// memberWrite is the body of PUT and PATCH of a member. It has no status on
// purpose: status overwrites consent, status_if_new only meets contacts that
// are not there yet.
type memberWrite struct {
	Email       string         `json:"email_address,omitempty"`
	StatusIfNew string         `json:"status_if_new,omitempty"`
	MergeFields map[string]any `json:"merge_fields,omitempty"`
}

// tagsWrite is the body of POST …/members/{id}/tags.
type tagsWrite struct {
	Tags    []tagState `json:"tags"`
	Syncing bool       `json:"is_syncing"`
}

type tagState struct {
	Name   string `json:"name"`
	Status string `json:"status"` // active or inactive
}

// mergeField is one field of the audience's contacts.
type mergeField struct {
	Tag    string `json:"tag"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Public bool   `json:"public"`
}

// segment is a tag seen as the static segment that it is.
type segment struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type segmentCreate struct {
	Name   string   `json:"name"`
	Static []string `json:"static_segment"` // empty, not null: that makes it static
}

// segmentWrite adds and removes many people at once.
type segmentWrite struct {
	Add    []string `json:"members_to_add,omitempty"`
	Remove []string `json:"members_to_remove,omitempty"`
}

type segmentAnswer struct {
	Added   []member `json:"members_added"`
	Removed []member `json:"members_removed"`
	Errors  []struct {
		Emails []string `json:"email_addresses"`
		Error  string   `json:"error"`
	} `json:"errors"`
}

// webhook is one webhook of the audience.
type webhook struct {
	ID      string          `json:"id,omitempty"`
	URL     string          `json:"url"`
	Events  map[string]bool `json:"events"`
	Sources map[string]bool `json:"sources"`
	// SigningSecret is in the answer to the creation and nowhere else.
	SigningSecret string `json:"signing_secret,omitempty"`
}

// problem is an error answer (application/problem+json).
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}
