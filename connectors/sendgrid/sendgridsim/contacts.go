package sendgridsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// identifiers of a contact.
var identifiers = [...]string{"email", "phone_number_id", "external_id", "anonymous_id"}

// AddField makes a custom field, as somebody did before, and gives its id.
func (s *Sim) AddField(name, kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addField(name, kind).ID
}

func (s *Sim) addField(name, kind string) field {
	f := field{ID: fmt.Sprintf("e%d_%s", len(s.fields)+1, kind[:1]), Name: name, Type: kind}
	s.fields = append(s.fields, f)
	return f
}

// Add puts a contact in, with its identifiers and own fields, and gives its id.
func (s *Sim) Add(own map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &contact{id: s.newID(), own: own, custom: map[string]any{}}
	s.contacts = append(s.contacts, c)
	return c.id
}

// Contact shows the contact with an address, as the API does; nil for none.
func (s *Sim) Contact(email string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.contacts {
		if c.own["email"] == email {
			return s.shown(c)
		}
	}
	return nil
}

func (s *Sim) idOf(name string) string {
	for _, f := range s.fields {
		if strings.EqualFold(f.Name, name) {
			return f.ID
		}
	}
	return ""
}

// shown is a contact as the API gives it, custom fields by name.
func (s *Sim) shown(c *contact) map[string]any {
	custom := map[string]any{}
	for _, f := range s.fields {
		if v, ok := c.custom[f.ID]; ok {
			custom[f.Name] = v
		}
	}
	at := time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC).Format(time.RFC3339)
	all := map[string]any{"id": c.id, "list_ids": []string{}, "segment_ids": []string{}, "created_at": at, "updated_at": at, "custom_fields": custom}
	for name, v := range c.own {
		all[name] = v
	}
	return all
}

func (s *Sim) listFields(*http.Request) (int, any) {
	fields := s.fields
	if fields == nil {
		fields = []field{}
	}
	return http.StatusOK, map[string]any{"custom_fields": fields, "reserved_fields": []any{map[string]any{"name": "first_name", "field_type": "Text", "read_only": false}}}
}

func (s *Sim) makeField(r *http.Request) (int, any) {
	var f field
	switch {
	case json.NewDecoder(r.Body).Decode(&f) != nil || f.Name == "":
		return http.StatusBadRequest, refused("name", "name is required")
	case !slices.Contains([]string{"Text", "Number", "Date"}, f.Type):
		return http.StatusBadRequest, refused("field_type", "must be one of Text, Number, Date")
	case s.idOf(f.Name) != "":
		return http.StatusBadRequest, refused("name", "a custom field with this name already exists")
	}
	return http.StatusOK, s.addField(f.Name, f.Type)
}

// upsert checks everything first: a request with a bad contact is refused
// wholly, and the error names the contact.
func (s *Sim) upsert(r *http.Request) (int, any) {
	var b struct {
		Contacts []map[string]any `json:"contacts"`
	}
	if json.NewDecoder(r.Body).Decode(&b) != nil || len(b.Contacts) == 0 || len(b.Contacts) > 30000 {
		return http.StatusBadRequest, refused("contacts", "1 to 30,000 contacts must be given")
	}
	for i, c := range b.Contacts {
		if part, words := s.wrong(c); words != "" {
			return http.StatusBadRequest, refused(fmt.Sprintf("contacts[%d].%s", i, part), words)
		}
	}
	j := &job{kind: "upsert", requested: len(b.Contacts)}
	for _, c := range b.Contacts {
		s.write(j, c)
	}
	s.writes++
	id := s.newID()
	s.jobs[id] = j
	return http.StatusAccepted, map[string]any{"job_id": id}
}

// wrong says what part of a contact cannot be.
func (s *Sim) wrong(c map[string]any) (part, words string) {
	email, _ := c["email"].(string)
	named := slices.ContainsFunc(identifiers[:], func(name string) bool { return c[name] != nil })
	switch {
	case !named:
		return "email", "at least one identifier is required"
	case email != "" && !strings.Contains(email, "@"):
		return "email", "must be a valid email address"
	}
	custom, _ := c["custom_fields"].(map[string]any)
	for id, v := range custom {
		i := slices.IndexFunc(s.fields, func(f field) bool { return f.ID == id })
		if i < 0 {
			return "custom_fields", "there is no custom field " + id
		}
		_, number := v.(float64)
		if v != nil && number != (s.fields[i].Type == "Number") {
			return "custom_fields", "the value of " + id + " is not of its type"
		}
	}
	return "", ""
}

// write carries one out, as the job does later.
func (s *Sim) write(j *job, given map[string]any) {
	i := slices.IndexFunc(s.contacts, func(c *contact) bool {
		return slices.ContainsFunc(identifiers[:], func(name string) bool { return given[name] != nil && c.own[name] == given[name] })
	})
	var c *contact
	switch {
	case i < 0:
		c = &contact{id: s.newID(), own: map[string]any{}, custom: map[string]any{}}
		s.contacts = append(s.contacts, c)
		j.created++
	default:
		c = s.contacts[i]
		for _, name := range identifiers {
			if c.own[name] != nil && given[name] != c.own[name] {
				j.errored++ // every identifier must be given
				return
			}
		}
		j.changed++
	}
	for name, v := range given {
		if custom, ok := v.(map[string]any); ok && name == "custom_fields" {
			for id, value := range custom {
				c.custom[id] = value
			}
			continue
		}
		c.own[name] = v
	}
}

func (s *Sim) job(r *http.Request) (int, any) {
	j := s.jobs[r.PathValue("id")]
	if j == nil {
		return http.StatusNotFound, refused("id", "not found")
	}
	status := "completed"
	switch {
	case !j.asked:
		status, j.asked = "pending", true
	case j.errored > 0:
		status = "errored"
	}
	return http.StatusOK, map[string]any{
		"id": r.PathValue("id"), "status": status, "job_type": j.kind,
		"results": map[string]any{
			"requested_count": j.requested, "created_count": j.created, "updated_count": j.changed, "deleted_count": 0, "errored_count": j.errored, "errors_url": "",
		},
		"started_at": "2026-11-20T09:15:00Z", "finished_at": "2026-11-20T09:15:20Z",
	}
}

// limited reads a list of 1 to 100 names out of a body.
func limited(r *http.Request, member string) ([]string, bool) {
	var b map[string][]string
	if json.NewDecoder(r.Body).Decode(&b) != nil || len(b[member]) == 0 || len(b[member]) > 100 {
		return nil, false
	}
	return b[member], true
}

func (s *Sim) byID(r *http.Request) (int, any) {
	ids, ok := limited(r, "ids")
	if !ok {
		return http.StatusBadRequest, refused("ids", "1 to 100 ids must be given")
	}
	found := []any{}
	for _, c := range s.contacts {
		if slices.Contains(ids, c.id) {
			found = append(found, s.shown(c))
		}
	}
	return http.StatusOK, map[string]any{"result": found}
}

func (s *Sim) byEmail(r *http.Request) (int, any) {
	emails, ok := limited(r, "emails")
	if !ok {
		return http.StatusBadRequest, refused("emails", "1 to 100 addresses must be given")
	}
	result, found := map[string]any{}, 0
	for _, email := range emails {
		result[email] = map[string]any{"error": "contact not found"}
		for _, c := range s.contacts {
			other, _ := c.own["alternate_emails"].([]string)
			if c.own["email"] == email || slices.Contains(other, email) {
				result[email] = map[string]any{"contact": s.shown(c)}
				found++
			}
		}
	}
	if found == 0 {
		return http.StatusNotFound, refused("emails", "no contacts were found")
	}
	return http.StatusOK, map[string]any{"result": result}
}

func (s *Sim) remove(r *http.Request) (int, any) {
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	s.contacts = slices.DeleteFunc(s.contacts, func(c *contact) bool { return slices.Contains(ids, c.id) })
	s.writes++
	return http.StatusAccepted, map[string]any{"job_id": s.newID()}
}

func (s *Sim) erase(r *http.Request) (int, any) {
	var b struct {
		Addresses []string `json:"email_addresses"`
	}
	if json.NewDecoder(r.Body).Decode(&b) != nil || len(b.Addresses) == 0 || len(b.Addresses) > 5000 {
		return http.StatusBadRequest, refused("email_addresses", "1 to 5,000 addresses must be given")
	}
	s.erased = append(s.erased, b.Addresses...)
	return http.StatusAccepted, map[string]any{"job_id": s.newID()}
}
