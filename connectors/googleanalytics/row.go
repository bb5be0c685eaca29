package googleanalytics

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/stagebridge/stagebridge/connectors"
)

// exported are the columns of the export that are read.
func exported() []string {
	return []string{
		"event_name", "event_timestamp", "event_params", "event_bundle_sequence_id",
		"user_id", "user_pseudo_id", "user_properties", "ecommerce", "platform",
	}
}

// maxRowDepth bounds how deep columns nest; the export has three levels.
const maxRowDepth = 8

// column is a field of a table's schema.
type column struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Mode   string   `json:"mode"`
	Fields []column `json:"fields"`
}

// row makes the event of one row. A row that cannot be read is kept as it is.
func (s *split) row(columns []column, raw json.RawMessage) connectors.RawEvent {
	values, err := record(columns, raw, 0)
	if err != nil {
		return s.broken(raw, "the row does not fit its table: "+err.Error())
	}
	body, key, err := flat(values)
	if err != nil {
		return s.broken(raw, "the row cannot be written as JSON")
	}
	e := s.event(body, 0)
	e.Dedupe = connectors.Dedupe(key...)
	return e
}

// record reads BigQuery's {"f":[{"v":…}]} by its columns.
func record(columns []column, raw json.RawMessage, depth int) (map[string]any, error) {
	var r struct {
		F []struct {
			V json.RawMessage `json:"v"`
		} `json:"f"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, errors.New("a record is no object")
	}
	if len(r.F) != len(columns) || depth > maxRowDepth {
		return nil, errors.New("another number of fields, or too deep")
	}
	values := make(map[string]any, len(columns))
	for i, c := range columns {
		v, err := value(c, r.F[i].V, depth)
		if err != nil {
			return nil, err
		}
		if v != nil {
			values[c.Name] = v
		}
	}
	return values, nil
}

func value(c column, raw json.RawMessage, depth int) (any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if c.Mode == "REPEATED" {
		var list []struct {
			V json.RawMessage `json:"v"`
		}
		if json.Unmarshal(raw, &list) != nil {
			return nil, errors.New("a repeated field is no list")
		}
		c.Mode = ""
		all := make([]any, 0, len(list))
		for _, item := range list {
			v, err := value(c, item.V, depth)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	}
	if c.Type == "RECORD" || c.Type == "STRUCT" {
		return record(c.Fields, raw, depth+1)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, errors.New("a value is no text")
	}
	switch c.Type {
	case "INTEGER", "INT64", "FLOAT", "FLOAT64":
		if !json.Valid([]byte(text)) {
			return text, nil // NaN and Infinity
		}
		return json.Number(text), nil
	case "BOOLEAN", "BOOL":
		return strconv.ParseBool(text)
	}
	return text, nil
}

// flat writes a row in the form of the collect endpoint. The key is what tells
// a row from others, whenever its table is written: the export has no event id.
func flat(row map[string]any) (body []byte, key []string, err error) {
	params := pairsOf(row["event_params"])
	if shop, ok := row["ecommerce"].(map[string]any); ok {
		for name, of := range map[string]string{"transaction_id": "transaction_id", "value": "purchase_revenue"} {
			if v := shop[of]; params[name] == nil && v != nil && v != "(not set)" {
				params[name] = v
			}
		}
	}
	out := map[string]any{"params": params, "user_properties": pairsOf(row["user_properties"])}
	person := "client_id"
	if row["platform"] == "ANDROID" || row["platform"] == "IOS" {
		person = "app_instance_id"
	}
	for name, of := range map[string]string{
		"event_name": "event_name", person: "user_pseudo_id", "user_id": "user_id", "timestamp_micros": "event_timestamp",
	} {
		if v := row[of]; v != nil {
			out[name] = v
		}
	}
	if body, err = json.Marshal(out); err != nil {
		return nil, nil, err
	}
	told, err := json.Marshal(params)
	if err != nil {
		return nil, nil, err
	}
	key = []string{"bigquery", string(told)}
	for _, name := range []string{"user_pseudo_id", "event_timestamp", "event_name", "event_bundle_sequence_id"} {
		key = append(key, plain(row[name]))
	}
	return body, key, nil
}

// pairsOf takes [{"key":"plan","value":{"string_value":"team"}}] to
// {"plan":"team"}; of the kinds of value one is set.
func pairsOf(list any) map[string]any {
	all := map[string]any{}
	items, _ := list.([]any)
	for _, item := range items {
		pair, _ := item.(map[string]any)
		name, _ := pair["key"].(string)
		of, _ := pair["value"].(map[string]any)
		if name == "" {
			continue
		}
		for _, kind := range []string{"string_value", "int_value", "float_value", "double_value"} {
			if v := of[kind]; v != nil {
				all[name] = v
				break
			}
		}
	}
	return all
}

// plain gives a text or a number's literal.
func plain(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	}
	return ""
}
