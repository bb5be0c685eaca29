package looker

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// maxRows is how many rows of one delivery are taken.
const maxRows = 20_000

// payload is what Looker sends to carry out an action, and to a webhook.
type payload struct {
	Type string `json:"type"`
	Plan *struct {
		ID    text   `json:"scheduled_plan_id"`
		Title string `json:"title"`
		Query *struct {
			Model string `json:"model"`
			View  string `json:"view"`
		} `json:"query"`
		QueryID text `json:"query_id"`
	} `json:"scheduled_plan"`
	Attachment *struct {
		MIME string          `json:"mimetype"`
		Data json.RawMessage `json:"data"`
	} `json:"attachment"`
	Params map[string]any `json:"form_params"`
}

// text is an id that may come as a text or as a number; anything else is empty.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(plain(json.RawMessage(b)))
	return nil
}

// detail is the format json_detail.
type detail struct {
	Fields map[string]json.RawMessage   `json:"fields"`
	Data   []map[string]json.RawMessage `json:"data"`
	RanAt  string                       `json:"ran_at"`
	Zone   string                       `json:"timezone"`
	Errors []json.RawMessage            `json:"errors"`
}

// column is one field of a result.
type column struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

// delivery is a result as far as it was understood.
type delivery struct {
	c                  *Connector
	kind               kind
	list, title, model string
	view, plan, query  string
	delivery           string
	ranAt              time.Time
	ran                string
	zone               *time.Location
	columns            []column
	rows               []map[string]json.RawMessage
	sum                string // stands for all of its bytes
}

// read understands a delivery; params, when not nil, stand for the form.
func (c *Connector) read(body []byte, params map[string]string) (*delivery, *refusal) {
	var p payload
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return nil, &refusal{words: "the delivery is empty"}
	case !utf8.Valid(body) || json.Unmarshal(body, &p) != nil:
		return nil, &refusal{words: "the delivery is not the JSON that Looker sends"}
	case p.Type != "query" && p.Type != "":
		return nil, &refusal{words: "only the results of a query can be delivered, as JSON with details"}
	case p.Attachment == nil:
		return nil, &refusal{words: "the delivery holds no rows; choose JSON with details as its format"}
	}
	sum := sha256.Sum256(body)
	d := &delivery{c: c, zone: time.UTC, sum: string(sum[:])}
	if p.Plan != nil {
		d.title, d.plan, d.query = p.Plan.Title, string(p.Plan.ID), string(p.Plan.QueryID)
		if p.Plan.Query != nil {
			d.model, d.view = p.Plan.Query.Model, p.Plan.Query.View
		}
	}
	if params == nil {
		params = map[string]string{}
		for name, v := range p.Params {
			params[name], _ = v.(string)
		}
	}
	if refused := d.choose(params["kind"], params["list"]); refused != nil {
		return nil, refused
	}
	text, ok := attached(p.Attachment.MIME, p.Attachment.Data)
	if !ok {
		return nil, &refusal{words: "the attached data cannot be decoded"}
	}
	if refused := d.table(text); refused != nil {
		return nil, refused
	}
	if len(d.rows) > maxRows {
		return nil, &refusal{words: "the result has more than 20,000 rows; send it in parts, for example by a filter"}
	}
	return d, nil
}

// choose takes over what the form, or the URL, says.
func (d *delivery) choose(name, list string) *refusal {
	d.list = strings.TrimSpace(list)
	if d.list == "" {
		d.list = strings.TrimSpace(d.title)
	}
	if runes := []rune(d.list); len(runes) > maxListRunes {
		d.list = string(runes[:maxListRunes])
	}
	for _, k := range kinds() {
		if k.name == name || name == "" {
			d.kind = k
			return nil
		}
	}
	return &refusal{field: "kind", words: "this says nothing that is known here; choose one of the list"}
}

// attached gives the text of an attachment. Its data is described as JSON and
// comes as a text in practice, which may be base64.
func attached(mime string, data json.RawMessage) ([]byte, bool) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, false
	}
	if data[0] != '"' {
		return data, true
	}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return nil, false
	}
	if !strings.HasSuffix(mime, ";base64") {
		return []byte(text), true
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	return plain, err == nil
}

// table reads the rows: an object with fields and data, or a list of flat rows.
func (d *delivery) table(text []byte) *refusal {
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("[")) {
		if json.Unmarshal(text, &d.rows) != nil {
			return &refusal{words: "the attached rows are not a list of objects"}
		}
		names := map[string]bool{}
		for _, row := range d.rows[:min(len(d.rows), 100)] {
			for name := range row {
				names[name] = true
			}
		}
		d.columns = named(names)
		return nil
	}
	var t detail
	if json.Unmarshal(text, &t) != nil || t.Fields == nil && t.Data == nil {
		return &refusal{words: "the attached data is not a result as JSON; choose JSON with details as its format"}
	}
	if len(t.Errors) > 0 && len(t.Data) == 0 {
		return &refusal{words: "the query failed in Looker"}
	}
	for _, group := range []string{"dimensions", "measures", "table_calculations"} {
		var columns []column
		if raw, ok := t.Fields[group]; ok && json.Unmarshal(raw, &columns) != nil {
			return &refusal{words: "the fields of the result cannot be read"}
		}
		d.columns = append(d.columns, columns...)
	}
	for _, row := range t.Data {
		flat := make(map[string]json.RawMessage, len(row))
		for name, cell := range row {
			// A pivoted measure holds more cells, and no value.
			var v struct {
				Value json.RawMessage `json:"value"`
			}
			if json.Unmarshal(cell, &v) == nil && v.Value != nil {
				flat[name] = v.Value
			}
		}
		d.rows = append(d.rows, flat)
	}
	if at, err := time.Parse(time.RFC3339, t.RanAt); err == nil {
		d.ranAt, d.ran = at, t.RanAt
	}
	if zone, err := time.LoadLocation(t.Zone); err == nil && zone != time.Local {
		d.zone = zone
	}
	return nil
}
