package eloquasim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// definition is an import or an export.
type definition struct {
	Fields     map[string]string `json:"fields"`
	Identifier string            `json:"identifierFieldName"`
	UpdateRule string            `json:"updateRule"`
	Filter     string            `json:"filter"`
	Actions    []struct {
		Action      string `json:"action"`
		Destination string `json:"destination"`
		Status      string `json:"status"`
	} `json:"syncActions"`

	uri    string
	data   []map[string]string
	synced bool
}

// work is a sync: what it refused, or what it exported.
type work struct {
	uri     string
	active  int
	rejects []any
	data    []any
}

var (
	listPlace = regexp.MustCompile(`^\{\{ContactList\[([0-9]+)\]\}\}$`)
	stepPlace = regexp.MustCompile(`^\{\{ActionInstance\(([0-9a-f]{32})\)\.Execution\[([0-9]+)\]\}\}$`)
	typeWant  = regexp.MustCompile(`^'\{\{Activity\.Type\}\}'='([A-Za-z]+)' AND '\{\{Activity\.CreatedAt\}\}'>='([0-9: -]{19})'$`)
)

func (s *Sim) define(w http.ResponseWriter, r *http.Request) {
	d := &definition{}
	if err := json.NewDecoder(r.Body).Decode(d); err != nil || len(d.Fields) == 0 {
		refuse(w, "fields", "Must contain at least 1 item")
		return
	}
	d.uri = uri("contacts/imports", len(s.imports)+1)
	if strings.HasSuffix(r.URL.Path, "/exports") {
		d.uri = uri("activities/exports", len(s.imports)+1)
		if !typeWant.MatchString(d.Filter) {
			refuse(w, "filter", "Must be a valid filter on one activity type")
			return
		}
	} else if problem := s.checkImport(d); problem != "" {
		refuse(w, problem, "Must be a valid reference")
		return
	}
	s.imports[d.uri] = d
	reply(w, http.StatusCreated, map[string]any{"uri": d.uri, "createdBy": User})
}

// checkImport names the part of a definition that is wrong, or "".
func (s *Sim) checkImport(d *definition) string {
	identifier := d.Fields[d.Identifier]
	if identifier != "{{Contact.Id}}" && identifier != "{{Contact.Field(C_EmailAddress)}}" {
		return "identifierFieldName"
	}
	for _, statement := range d.Fields {
		known := statement == "{{Contact.Id}}" || slices.ContainsFunc(s.fields, func(f field) bool { return f.statement() == statement })
		if !known {
			return "fields"
		}
	}
	for _, a := range d.Actions {
		onList := listPlace.MatchString(a.Destination) && (a.Action == "add" || a.Action == "remove")
		inStep := stepPlace.MatchString(a.Destination) && a.Action == "setStatus" && a.Status == "complete"
		if !onList && !inStep {
			return "syncActions"
		}
	}
	return ""
}

func (s *Sim) stage(w http.ResponseWriter, r *http.Request) {
	d := s.imports["/contacts/imports/"+r.PathValue("id")]
	switch {
	case d == nil:
		notFound(w)
	case json.NewDecoder(r.Body).Decode(&d.data) != nil || len(d.data) == 0:
		refuse(w, "data", "Must contain at least 1 item")
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Sim) startSync(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Instance string `json:"syncedInstanceUri"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	d := s.imports[body.Instance]
	if d == nil || d.synced {
		refuse(w, "syncedInstanceUri", "Must reference a definition that is not being synced")
		return
	}
	d.synced = true
	job := &work{uri: uri("syncs", len(s.syncs)+77), active: s.slow}
	s.syncs[job.uri] = job
	if d.Filter != "" {
		s.export(d, job)
	} else {
		s.workOff(d, job)
		s.writes++
	}
	reply(w, http.StatusCreated, map[string]any{"uri": job.uri, "syncedInstanceUri": d.uri, "status": "pending", "createdBy": User})
}

// workOff carries an import out.
func (s *Sim) workOff(d *definition, job *work) {
	seen := map[string]bool{}
	for i, row := range d.data {
		key := row[d.Identifier]
		code, message := "", ""
		c := s.contacts[key]
		if d.Fields[d.Identifier] != "{{Contact.Id}}" {
			if c = s.byEmail(key); c == nil && strings.Contains(key, "@") && !strings.Contains(key, " ") {
				c = s.add(key)
			}
			code, message = "ELQ-00002", "Invalid email addresses."
		} else {
			code, message = "ELQ-00085", "Contact does not exist."
		}
		switch {
		case c == nil:
		case seen[strings.ToLower(key)]:
			code, message = "ELQ-00026", "Duplicate identifier."
		case len(row) != len(d.Fields):
			code, message = "ELQ-00061", "Rejected records (missing fields)."
		default:
			seen[strings.ToLower(key)] = true
			s.applyRow(d, c, row)
			continue
		}
		job.rejects = append(job.rejects, map[string]any{
			"fieldValues": row, "invalidFields": []string{d.Identifier}, "message": message, "statusCode": code, "recordIndex": i + 1,
		})
	}
}

func (s *Sim) applyRow(d *definition, c *contact, row map[string]string) {
	for column, statement := range d.Fields {
		if column != d.Identifier {
			c.values[statement] = row[column]
		}
	}
	for _, a := range d.Actions {
		if step := stepPlace.FindStringSubmatch(a.Destination); step != nil {
			s.released = append(s.released, step[1]+"/"+step[2]+"/"+c.id)
			continue
		}
		number := listPlace.FindStringSubmatch(a.Destination)[1]
		for _, l := range s.lists {
			if l.id == number && a.Action == "add" {
				l.members[c.id] = true
			} else if l.id == number {
				delete(l.members, c.id)
			}
		}
	}
}

// export fills a sync with the activities that the filter asks for.
func (s *Sim) export(d *definition, job *work) {
	want := typeWant.FindStringSubmatch(d.Filter)
	for _, a := range s.log {
		if a["{{Activity.Type}}"] != want[1] || a["{{Activity.CreatedAt}}"] < want[2] {
			continue
		}
		row := map[string]string{}
		for column, statement := range d.Fields {
			row[column] = a[statement]
			if c := s.contacts[a["{{Activity.Contact.Id}}"]]; c != nil && statement == "{{Activity.Contact.Field(C_EmailAddress)}}" {
				row[column] = c.email
			}
		}
		job.data = append(job.data, row)
	}
}

func (s *Sim) readSync(w http.ResponseWriter, r *http.Request) {
	job := s.syncs["/syncs/"+r.PathValue("id")]
	if job == nil {
		notFound(w)
		return
	}
	status := "success"
	switch {
	case job.active > 0:
		job.active--
		status = "active"
	case len(job.rejects) > 0:
		status = "warning"
	}
	reply(w, http.StatusOK, map[string]any{"uri": job.uri, "status": status})
}

// readPart pages through the rejects, logs or data of a sync.
func (s *Sim) readPart(w http.ResponseWriter, r *http.Request) {
	job := s.syncs["/syncs/"+r.PathValue("id")]
	if job == nil {
		notFound(w)
		return
	}
	items := map[string][]any{"rejects": job.rejects, "data": job.data, "logs": {}}[r.PathValue("part")]
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	from := min(offset, len(items))
	to := min(from+max(limit, 1), len(items))
	reply(w, http.StatusOK, map[string]any{"items": append([]any{}, items[from:to]...), "totalResults": len(items), "count": to - from, "offset": offset, "limit": limit, "hasMore": to < len(items)})
}
