package marketosim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// outcome is what became of one record.
type outcome struct {
	ID      int64     `json:"id,omitempty"`
	Status  string    `json:"status"`
	Reasons []problem `json:"reasons,omitempty"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func skipped(id int64, code, message string) outcome {
	return outcome{ID: id, Status: "skipped", Reasons: []problem{{code, message}}}
}

func (s *Sim) describe(*http.Request) answer {
	var fields []any
	for name, kind := range s.fields {
		f := map[string]any{"name": name, "displayName": name, "dataType": kind, "updateable": name != "id" && name != "createdAt" && name != "updatedAt", "crmManaged": false}
		if kind == "string" {
			f["length"] = 255
		}
		fields = append(fields, f)
	}
	return answer{result: []any{map[string]any{"name": "API Lead", "searchableFields": []any{[]string{"email"}, []string{"id"}}, "fields": fields}}}
}

func (s *Sim) createFields(r *http.Request) answer {
	var body struct {
		Input []struct {
			Display string `json:"displayName"`
			Name    string `json:"name"`
			Kind    string `json:"dataType"`
		} `json:"input"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		return refuse("609", "Invalid JSON")
	}
	var made []any
	for _, f := range body.Input {
		if f.Display == "" || f.Name == "" || f.Kind == "" {
			return refuse("1002", "Missing value for the required parameter")
		}
		if s.fields[f.Name] != "" {
			return refuse("1009", "Field '"+f.Name+"' already exists")
		}
		s.fields[f.Name] = f.Kind
		made = append(made, map[string]string{"name": f.Name, "status": "created"})
	}
	return answer{result: made, wrote: true}
}

// matching gives the numbers of everybody with a key, oldest first.
func (s *Sim) matching(by, value string) []int64 {
	var ids []int64
	for id, person := range s.people {
		if by == "id" && strconv.FormatInt(id, 10) == value || by == "email" && strings.EqualFold(text(person["email"]), value) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *Sim) findPeople(r *http.Request) answer {
	q := r.URL.Query()
	values := strings.Split(q.Get("filterValues"), ",")
	if len(values) > maxRecords {
		return refuse("1003", "Too many filterValues")
	}
	found := []any{}
	for _, value := range values {
		for _, id := range s.matching(q.Get("filterType"), value) {
			person := map[string]any{"id": id}
			for name := range strings.SplitSeq(q.Get("fields"), ",") {
				if s.fields[name] == "" {
					return refuse("1006", "Field '"+name+"' not found")
				}
				person[name] = s.people[id][name]
			}
			found = append(found, person)
		}
	}
	return answer{result: found}
}

func (s *Sim) writePeople(r *http.Request) answer {
	var body struct {
		Action string           `json:"action"`
		Lookup string           `json:"lookupField"`
		Input  []map[string]any `json:"input"`
	}
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	switch {
	case d.Decode(&body) != nil:
		return refuse("609", "Invalid JSON")
	case len(body.Input) == 0 || len(body.Input) > maxRecords:
		return refuse("1003", "Invalid number of records")
	case body.Lookup == "id" && body.Action != "updateOnly":
		return refuse("1003", "Action must be updateOnly when lookupField is id")
	}
	for _, record := range body.Input {
		for name := range record {
			if s.fields[name] == "" {
				return refuse("1006", "Field '"+name+"' not found")
			}
		}
	}
	var all []outcome
	for _, record := range body.Input {
		all = append(all, s.writeOne(body.Action, body.Lookup, record))
	}
	return answer{result: all, wrote: true}
}

func (s *Sim) writeOne(action, by string, record map[string]any) outcome {
	key := text(record["email"])
	if n, ok := record["id"].(json.Number); ok && by == "id" {
		key = n.String()
	}
	for name, value := range record {
		if t := text(value); s.fields[name] == "string" && len([]rune(t)) > 255 {
			return skipped(0, "1001", "Invalid value '"+t[:20]+"' for field '"+name+"'")
		}
	}
	ids := s.matching(by, key)
	status := "updated"
	switch {
	case key == "" || by == "email" && !strings.Contains(key, "@"):
		return skipped(0, "1003", "Value for lookup field '"+by+"' is invalid")
	case len(ids) > 1:
		return skipped(0, "1007", "Multiple lead match lookup criteria")
	case len(ids) == 0 && action == "updateOnly":
		return skipped(0, "1004", "Lead not found")
	case len(ids) == 0:
		ids, status = []int64{s.add(key, nil)}, "created"
	}
	person := s.people[ids[0]]
	var changes []change
	for name, value := range record {
		if name == by {
			continue
		}
		if before := said(person[name]); before != said(value) {
			changes = append(changes, change{ID: 1, Name: name, New: said(value), Old: before})
		}
		person[name] = value
	}
	s.logChange(ids[0], changes, "Web service API")
	return outcome{ID: ids[0], Status: status}
}

func (s *Sim) deletePeople(r *http.Request) answer {
	var body struct {
		Input []struct {
			ID int64 `json:"id"`
		} `json:"input"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Input) == 0 || len(body.Input) > maxRecords {
		return refuse("609", "Invalid JSON")
	}
	var all []outcome
	for _, who := range body.Input {
		if s.people[who.ID] == nil {
			all = append(all, skipped(who.ID, "1004", "Lead not found"))
			continue
		}
		delete(s.people, who.ID)
		s.logEntry(entry{kind: 37, lead: who.ID})
		all = append(all, outcome{ID: who.ID, Status: "deleted"})
	}
	return answer{result: all, wrote: true}
}

func (s *Sim) usage(*http.Request) answer {
	return answer{result: []any{map[string]any{"date": "2026-11-20", "total": s.calls, "users": []any{map[string]any{"userId": "api@example.com", "count": s.calls}}}}}
}
