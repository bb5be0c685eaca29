package salesforce

import "github.com/stagebridge/stagebridge/secret"

// tokenAnswer is what /services/oauth2/token gives.
type tokenAnswer struct {
	AccessToken secret.Text `json:"access_token"`
	InstanceURL string      `json:"instance_url"`
}

// apiError is one member of the list that a refused request is answered with.
type apiError struct {
	Code    string `json:"errorCode"`
	Message string `json:"message"`
}

// record is one row to write: attributes, id and fields.
type record map[string]any

// attributes names the object of a record.
type attributes struct {
	Type string `json:"type"`
}

// collection is the body of a write to up to 200 records.
type collection struct {
	AllOrNone bool     `json:"allOrNone"`
	Records   []record `json:"records"`
}

// row is what became of one record of a collection, in the order of the
// request.
type row struct {
	ID      string     `json:"id"`
	Success bool       `json:"success"`
	Errors  []rowError `json:"errors"`
}

// rowError is why a row was refused.
type rowError struct {
	Code    string   `json:"statusCode"`
	Message string   `json:"message"`
	Fields  []string `json:"fields"`
}

// queryAnswer is a page of a query.
type queryAnswer struct {
	Done    bool             `json:"done"`
	Next    string           `json:"nextRecordsUrl"`
	Records []map[string]any `json:"records"`
}

// limitsAnswer is the part of /limits that a person asks about.
type limitsAnswer struct {
	Requests struct {
		Max       int64 `json:"Max"`
		Remaining int64 `json:"Remaining"`
	} `json:"DailyApiRequests"`
}
