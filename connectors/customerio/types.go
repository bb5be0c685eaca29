package customerio

import "encoding/json"

// Kinds of identifier, which are also the names that the APIs give them.
const (
	kindCIO   = "cio_id"
	kindEmail = "email"
	kindID    = "id"
)

// operation is one item of POST /api/v2/batch.
type operation struct {
	Type        string            `json:"type"` // person
	Action      string            `json:"action"`
	Identifiers map[string]string `json:"identifiers"` // exactly one
	Timestamp   int64             `json:"timestamp,omitempty"`
	Attributes  map[string]any    `json:"attributes,omitempty"`
}

// batch is the body of POST /api/v2/batch; each item is encoded already.
type batch struct {
	Batch []json.RawMessage `json:"batch"`
}

// batchAnswer is empty when all was taken; with 207 it names those that were not.
type batchAnswer struct {
	Errors []struct {
		Index   *int   `json:"batch_index"`
		Reason  string `json:"reason"`
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}

// identifiers of a person as the App API gives them; any may be empty.
type identifiers struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	CIO   string `json:"cio_id"`
}

// person is one of POST /v1/customers/attributes. Values are texts, whatever
// they were written as.
type person struct {
	ID          string         `json:"id"`
	Identifiers identifiers    `json:"identifiers"`
	Attributes  map[string]any `json:"attributes"`
}

// peopleAnswer leaves out whoever is not there.
type peopleAnswer struct {
	Customers []struct {
		Customer person `json:"customer"`
	} `json:"customers"`
}

// webhook is one reporting webhook.
type webhook struct {
	ID             int64    `json:"id,omitempty"`
	Name           string   `json:"name"`
	Endpoint       string   `json:"endpoint"`
	Events         []string `json:"events"`
	Disabled       bool     `json:"disabled"`
	FullResolution bool     `json:"full_resolution"`
	WithContent    bool     `json:"with_content"`
}
