package eloqua

import "encoding/json"

// The request and answer bodies of the Bulk and REST APIs that this package
// reads and writes, cut to the members it uses.

// identity is the answer of the sign-in address.
type identity struct {
	Site struct {
		Name string `json:"name"`
	} `json:"site"`
	User struct {
		Name string `json:"username"`
	} `json:"user"`
	URLs struct {
		Base string `json:"base"`
	} `json:"urls"`
}

// definition describes an import or, with a filter, an export.
type definition struct {
	Name       string            `json:"name"`
	Fields     map[string]string `json:"fields"`
	Identifier string            `json:"identifierFieldName,omitempty"`
	UpdateRule string            `json:"updateRule,omitempty"`
	Actions    []syncAction      `json:"syncActions,omitempty"`
	Filter     string            `json:"filter,omitempty"`
	UTC        bool              `json:"areSystemTimestampsInUTC,omitempty"`
	AutoDelete string            `json:"autoDeleteDuration"`
	Retention  string            `json:"dataRetentionDuration"`
}

// syncAction puts the contacts of an import on a list, takes them off it, or
// sets their status in a step.
type syncAction struct {
	Action      string `json:"action"`
	Destination string `json:"destination"`
	Status      string `json:"status,omitempty"`
}

// resource is anything of the Bulk API: its address says its number.
type resource struct {
	URI    string `json:"uri"`
	Status string `json:"status"`
}

// States of a sync.
const (
	statusSuccess = "success"
	statusWarning = "warning"
	statusError   = "error"
)

// syncStart asks for a sync of a definition.
type syncStart struct {
	Instance string `json:"syncedInstanceUri"`
}

// page is one page of a list of the Bulk API.
type page[T any] struct {
	Items   []T  `json:"items"`
	HasMore bool `json:"hasMore"`
}

// bulkField is a contact field, or a list, of the Bulk API.
type bulkField struct {
	Name      string `json:"name"`
	Internal  string `json:"internalName"`
	Statement string `json:"statement"`
	Kind      string `json:"dataType"`
	URI       string `json:"uri"`
}

// reject is a record that an import did not take.
type reject struct {
	Code    string                     `json:"statusCode"`
	Message string                     `json:"message"`
	Fields  []string                   `json:"invalidFields"`
	Values  map[string]json.RawMessage `json:"fieldValues"`
}

// logLine is a line of a sync's log.
type logLine struct {
	Severity string `json:"severity"`
	Code     string `json:"statusCode"`
	Message  string `json:"message"`
	Count    int    `json:"count"`
}

// contact is a contact of the REST API.
type contact struct {
	ID     string       `json:"id,omitempty"`
	Email  string       `json:"emailAddress"`
	Values []fieldValue `json:"fieldValues,omitempty"`
}

type fieldValue struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// elements is one page of a list of the REST API.
type elements[T any] struct {
	Elements []T `json:"elements"`
	Total    int `json:"total"`
}
