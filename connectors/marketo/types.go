package marketo

import "encoding/json"

// The request and answer bodies of the REST API that this package reads and
// writes, cut to the members it uses.

// envelope wraps every answer below /rest. HTTP says 200 whatever happened.
type envelope struct {
	RequestID string          `json:"requestId"`
	Success   *bool           `json:"success"`
	Errors    []reason        `json:"errors"`
	Result    json.RawMessage `json:"result"`
	More      bool            `json:"moreResult"`
	Next      string          `json:"nextPageToken"`
}

// reason is why a call or a record was refused. The code comes as a text.
type reason struct {
	Code    json.Number `json:"code"`
	Message string      `json:"message"`
}

// leadsWrite is the body of POST /rest/v1/leads.json.
type leadsWrite struct {
	Action    string           `json:"action"`
	Lookup    string           `json:"lookupField"`
	Partition string           `json:"partitionName,omitempty"`
	Input     []map[string]any `json:"input"`
}

// record is what became of one person of a call: created, updated, deleted,
// added, removed, memberof, notmemberof or skipped.
type record struct {
	ID      int64    `json:"id"`
	Status  string   `json:"status"`
	Reasons []reason `json:"reasons"`
}

// why gives the first reason of a record that was skipped.
func (r record) why() reason {
	if len(r.Reasons) == 0 {
		return reason{Message: "Marketo skipped the record without a reason"}
	}
	return r.Reasons[0]
}

// field is one attribute of people.
type field struct {
	Name      string `json:"name"`
	Kind      string `json:"dataType"`
	Length    int    `json:"length"`
	Updatable *bool  `json:"updateable"`
}

// fieldCreate asks for a new text field.
type fieldCreate struct {
	Display string `json:"displayName"`
	Name    string `json:"name"`
	Kind    string `json:"dataType"`
}

// activity is the part of an activity, a change or a deletion that is read
// here; rules see all of it.
type activity struct {
	ID     int64  `json:"id"`
	GUID   string `json:"marketoGUID"`
	Lead   int64  `json:"leadId"`
	Date   string `json:"activityDate"`
	Type   int64  `json:"activityTypeId"`
	Fields []struct {
		Name string `json:"name"`
		New  text   `json:"newValue"`
	} `json:"fields"`
	Attributes []struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	} `json:"attributes"`
}

// text is a JSON string, number or boolean as text, and empty for any other
// value: the log writes the values of all fields as texts, or so its pages show.
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
