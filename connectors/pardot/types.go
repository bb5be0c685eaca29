package pardot

import (
	"encoding/json"

	"github.com/stagebridge/stagebridge/secret"
)

// tokenAnswer is what /services/oauth2/token gives.
type tokenAnswer struct {
	AccessToken secret.Text `json:"access_token"`
}

// problem is an error of the API.
type problem struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// page is one page of a query.
type page struct {
	Values []json.RawMessage `json:"values"`
	Next   string            `json:"nextPageToken"`
}

// prospect is a prospect as read, by field; numbers are json.Number.
type prospect map[string]any

// upsert is the body of prospects/do/upsertLatestByEmail.
type upsert struct {
	MatchEmail string         `json:"matchEmail"`
	Prospect   map[string]any `json:"prospect"`
	Fields     []string       `json:"fields"`
	// SecondaryDeletedSearch would bring prospects back from the recycle bin.
	SecondaryDeletedSearch bool `json:"secondaryDeletedSearch"`
}

// customField is a field of prospects.
type customField struct {
	ID      int64  `json:"id,omitempty"`
	Name    string `json:"name"`
	FieldID string `json:"fieldId"`
	Type    string `json:"type,omitempty"`
}

// list is a static list.
type list struct {
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name"`
	// IsDynamic lists choose their members themselves.
	IsDynamic bool `json:"isDynamic,omitempty"`
}

// membership is a prospect's place in a list.
type membership struct {
	ID         int64 `json:"id,omitempty"`
	ListID     int64 `json:"listId"`
	ProspectID int64 `json:"prospectId"`
}
