package eloquasim

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// shown is a contact as the REST API shows it; complete ones with their fields.
func (s *Sim) shown(c *contact, complete bool) map[string]any {
	all := map[string]any{"type": "Contact", "id": c.id, "emailAddress": c.email, "name": c.email, "isSubscribed": "true"}
	if complete {
		values := []any{}
		for _, f := range s.fields {
			values = append(values, map[string]string{"type": "FieldValue", "id": f.ID, "value": c.values[f.statement()]})
		}
		all["fieldValues"] = values
	}
	return all
}

func (s *Sim) byEmail(email string) *contact {
	for _, c := range s.contacts {
		if strings.EqualFold(c.email, email) {
			return c
		}
	}
	return nil
}

func (s *Sim) findContacts(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	search := strings.TrimSuffix(strings.TrimPrefix(q.Get("search"), "emailAddress='"), "'")
	var ids []string
	for id, c := range s.contacts {
		if ok, _ := path.Match(strings.ToLower(search), strings.ToLower(c.email)); ok || q.Get("search") == "" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	count, _ := strconv.Atoi(q.Get("count"))
	number, _ := strconv.Atoi(q.Get("page"))
	from := min(max(number-1, 0)*count, len(ids))
	found := []any{}
	for _, id := range ids[from:min(from+count, len(ids))] {
		found = append(found, s.shown(s.contacts[id], q.Get("depth") == "complete"))
	}
	reply(w, http.StatusOK, map[string]any{"elements": found, "page": max(number, 1), "pageSize": count, "total": len(ids)})
}

func (s *Sim) createContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email string `json:"emailAddress"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || !strings.Contains(body.Email, "@") || s.byEmail(body.Email) != nil {
		reply(w, http.StatusBadRequest, []any{map[string]any{"type": "ObjectValidationError", "property": "emailAddress", "requirement": map[string]string{"type": "EmailAddressRequirement"}}})
		return
	}
	s.writes++
	reply(w, http.StatusCreated, s.shown(s.add(body.Email), true))
}

func (s *Sim) readContact(w http.ResponseWriter, r *http.Request) {
	c := s.contacts[r.PathValue("id")]
	if c == nil {
		notFound(w)
		return
	}
	reply(w, http.StatusOK, s.shown(c, r.URL.Query().Get("depth") == "complete"))
}

func (s *Sim) deleteContact(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if s.contacts[id] == nil {
		notFound(w)
		return
	}
	delete(s.contacts, id)
	s.writes++
	w.WriteHeader(http.StatusOK)
}

func (s *Sim) membership(w http.ResponseWriter, r *http.Request) {
	on := []any{}
	for _, l := range s.lists {
		if l.members[r.PathValue("id")] {
			on = append(on, map[string]string{"type": "ContactList", "id": l.id, "name": l.name})
		}
	}
	reply(w, http.StatusOK, map[string]any{"elements": on, "total": len(on)})
}

func (s *Sim) createField(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	if json.NewDecoder(r.Body).Decode(&body) != nil || body["name"] == "" || body["dataType"] != "text" || body["displayType"] != "text" || body["updateType"] == "" {
		reply(w, http.StatusBadRequest, []any{map[string]any{"type": "ObjectValidationError", "property": "name", "requirement": map[string]string{"type": "TextLengthRequirement"}}})
		return
	}
	f := s.newField(body["name"])
	s.writes++
	reply(w, http.StatusCreated, map[string]string{"type": "ContactField", "id": f.ID, "name": f.Name, "internalName": f.Internal})
}

func (s *Sim) createList(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	if json.NewDecoder(r.Body).Decode(&body) != nil || body["name"] == "" || slices.ContainsFunc(s.lists, func(l *list) bool { return l.name == body["name"] }) {
		reply(w, http.StatusBadRequest, map[string]any{"type": "ObjectValidationError", "property": "name", "requirement": map[string]string{"type": "UniqueNameRequirement"}})
		return
	}
	l := s.newList(body["name"])
	s.writes++
	reply(w, http.StatusCreated, map[string]string{"type": "ContactList", "id": l.id, "name": l.name})
}

func (s *Sim) listFields(w http.ResponseWriter, _ *http.Request) {
	items := []any{}
	for _, f := range s.fields {
		items = append(items, map[string]string{
			"name": f.Name, "internalName": f.Internal, "statement": f.statement(), "dataType": "string", "uri": "/contacts/fields/" + f.ID,
		})
	}
	reply(w, http.StatusOK, map[string]any{"items": items, "totalResults": len(items), "count": len(items), "hasMore": false})
}

func (s *Sim) findLists(w http.ResponseWriter, r *http.Request) {
	like := strings.TrimSuffix(strings.TrimPrefix(r.URL.Query().Get("q"), `"name=`), `"`)
	items := []any{}
	for _, l := range s.lists {
		if ok, _ := path.Match(like, l.name); ok {
			items = append(items, map[string]string{"name": l.name, "statement": "{{ContactList[" + l.id + "]}}", "uri": "/contacts/lists/" + l.id})
		}
	}
	reply(w, http.StatusOK, map[string]any{"items": items, "totalResults": len(items), "count": len(items), "hasMore": false})
}
