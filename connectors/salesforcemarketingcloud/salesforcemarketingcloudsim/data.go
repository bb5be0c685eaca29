package salesforcemarketingcloudsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

func (x *extension) json() map[string]any {
	return map[string]any{"id": x.id, "key": x.key, "name": x.name, "type": "primary", "isSendable": true}
}

func (s *Sim) search(w http.ResponseWriter, r *http.Request, _ []byte) {
	items := []map[string]any{}
	for _, x := range s.extensions {
		if strings.Contains(strings.ToLower(x.name), strings.ToLower(r.URL.Query().Get("$search"))) {
			items = append(items, x.json())
		}
	}
	answer(w, http.StatusOK, map[string]any{"count": len(items), "page": 1, "pageSize": 100, "items": items})
}

func (s *Sim) create(w http.ResponseWriter, _ *http.Request, body []byte) {
	var in struct {
		Name   string `json:"name"`
		Fields []struct {
			Name    string `json:"name"`
			Length  int    `json:"length"`
			Primary bool   `json:"isPrimaryKey"`
		} `json:"fields"`
	}
	primary := 0
	if json.Unmarshal(body, &in) == nil {
		for _, f := range in.Fields {
			if f.Primary {
				primary++
			}
		}
	}
	taken := slices.ContainsFunc(s.extensions, func(x *extension) bool { return x.name == in.Name })
	if in.Name == "" || primary != 1 || taken {
		refuse(w, http.StatusBadRequest, 30003, "The data extension cannot be created")
		return
	}
	x := s.extend(in.Name, "")
	for _, f := range in.Fields {
		x.columns[strings.ToLower(f.Name)] = f.Length
	}
	s.writes++
	answer(w, http.StatusCreated, x.json())
}

// write upserts rows up to the first bad one.
func (s *Sim) write(w http.ResponseWriter, r *http.Request, body []byte) {
	name := r.PathValue("extension")
	i := slices.IndexFunc(s.extensions, func(x *extension) bool { return name == x.id || name == "key:"+x.key })
	if i < 0 {
		refuse(w, http.StatusNotFound, 10004, "Unable to find the data extension")
		return
	}
	var rows []struct {
		Keys   map[string]string `json:"keys"`
		Values map[string]any    `json:"values"`
	}
	if json.Unmarshal(body, &rows) != nil || len(rows) == 0 {
		refuse(w, http.StatusBadRequest, 10003, "The rows cannot be read")
		return
	}
	x := s.extensions[i]
	done := []map[string]any{}
	for _, row := range rows {
		if words := s.bad(x, row.Keys["SubscriberKey"], row.Values); words != "" {
			s.writes += min(1, len(done))
			refuse(w, http.StatusBadRequest, 10006, "Unable to save rows for data extension ID "+x.id, words)
			return
		}
		held := x.rows[row.Keys["SubscriberKey"]]
		if held == nil {
			held = map[string]any{}
			x.rows[row.Keys["SubscriberKey"]] = held
		}
		for column, value := range row.Values {
			held[strings.ToLower(column)] = value
		}
		done = append(done, map[string]any{"keys": row.Keys, "values": row.Values})
	}
	s.writes++
	answer(w, http.StatusOK, done)
}

// bad says why a row is refused.
func (s *Sim) bad(x *extension, key string, values map[string]any) string {
	if key == "" {
		return "The primary key SubscriberKey is missing"
	}
	if email, ok := values["Email"].(string); ok && s.refused[strings.ToLower(email)] != "" {
		return s.refused[strings.ToLower(email)]
	}
	for column, value := range values {
		length, known := x.columns[strings.ToLower(column)]
		if !known {
			return "The column " + column + " does not exist"
		}
		if text, ok := value.(string); ok && length > 0 && utf8.RuneCountInString(text) > length {
			return "The value of " + column + " is too long"
		}
	}
	return ""
}

// read gives rows with the names of their columns in lower case.
func (s *Sim) read(w http.ResponseWriter, r *http.Request, _ []byte) {
	i := slices.IndexFunc(s.extensions, func(x *extension) bool { return x.key == r.PathValue("key") })
	if i < 0 {
		refuse(w, http.StatusNotFound, 10004, "Unable to find the data extension")
		return
	}
	value, ok := strings.CutPrefix(r.URL.Query().Get("$filter"), "SubscriberKey eq '")
	if !ok || !strings.HasSuffix(value, "'") {
		refuse(w, http.StatusBadRequest, 10003, "The filter cannot be read")
		return
	}
	key := strings.ReplaceAll(strings.TrimSuffix(value, "'"), "''", "'")
	items := []map[string]any{}
	if row := s.extensions[i].rows[key]; row != nil {
		items = append(items, map[string]any{"keys": map[string]string{"subscriberkey": key}, "values": maps.Clone(row)})
	}
	answer(w, http.StatusOK, map[string]any{"count": len(items), "page": 1, "pageSize": 50, "items": items})
}

func (s *Sim) find(w http.ResponseWriter, _ *http.Request, body []byte) {
	var in struct {
		Addresses []string `json:"channelAddressList"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Addresses) == 0 {
		refuse(w, http.StatusBadRequest, 10003, "The addresses are missing")
		return
	}
	entities := []map[string]any{}
	for _, address := range in.Addresses {
		details := []map[string]any{}
		for _, key := range s.contacts[strings.ToLower(address)] {
			details = append(details, map[string]any{"contactKey": key, "createDate": "2026-01-10T09:00:00"})
		}
		entities = append(entities, map[string]any{"channelAddress": address, "contactKeyDetails": details})
	}
	answer(w, http.StatusOK, map[string]any{"channelAddressResponseEntities": entities, "resultMessages": []string{}})
}

func (s *Sim) erase(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		Values []string `json:"values"`
		Type   string   `json:"DeleteOperationType"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Values) == 0 || in.Type != "ContactAndAttributes" || r.URL.Query().Get("type") != "keys" {
		refuse(w, http.StatusBadRequest, 10003, "The contacts are missing")
		return
	}
	s.erased = append(s.erased, in.Values...)
	s.writes++
	answer(w, http.StatusOK, map[string]any{"operationInitiated": true, "operationID": 4711, "requestServiceMessageID": "m-1", "hasErrors": false, "resultMessages": []string{}})
}
