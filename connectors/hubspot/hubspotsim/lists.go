package hubspotsim

import (
	"net/http"
	"slices"
)

// list is a list of contacts.
type list struct {
	id, name, processing string
	members              map[string]bool
}

// AddList makes a list by hand and gives its id; processing is MANUAL or DYNAMIC.
func (s *Sim) AddList(name, processing string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addList(name, processing).id
}

// DeleteList removes a list by its name.
func (s *Sim) DeleteList(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range s.lists {
		if l.name == name {
			delete(s.lists, id)
		}
	}
}

func (s *Sim) addList(name, processing string) *list {
	l := &list{id: s.nextNumber(), name: name, processing: processing, members: map[string]bool{}}
	s.lists[l.id] = l
	return l
}

// named finds a list; the caller holds the lock.
func (s *Sim) named(name string) *list {
	for _, l := range s.lists {
		if l.name == name {
			return l
		}
	}
	return nil
}

func (l *list) shown() map[string]any {
	return map[string]any{"list": map[string]any{
		"listId": l.id, "listVersion": 1, "name": l.name, "objectTypeId": "0-1",
		"processingType": l.processing, "processingStatus": "COMPLETE", "size": len(l.members),
	}}
}

func (s *Sim) createList(w http.ResponseWriter, r *http.Request) {
	var q struct{ Name, ObjectTypeID, ProcessingType string }
	if !s.decode(w, r, &q) {
		return
	}
	s.mu.Lock()
	there := s.named(q.Name)
	var shown map[string]any
	if there == nil {
		shown = s.addList(q.Name, q.ProcessingType).shown()
	}
	s.mu.Unlock()
	if there != nil {
		s.refuse(w, http.StatusBadRequest, apiError{
			Status: "error", Category: "VALIDATION_ERROR", Message: "ILS.DUPLICATE_LIST_NAMES: a list named " + q.Name + " already exists",
		})
		return
	}
	answer(w, http.StatusOK, shown)
}

func (s *Sim) findList(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	l := s.named(r.PathValue("name"))
	var shown map[string]any
	if l != nil {
		shown = l.shown()
	}
	s.mu.Unlock()
	if l == nil {
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "List does not exist"})
		return
	}
	answer(w, http.StatusOK, shown)
}

func (s *Sim) changeMembers(w http.ResponseWriter, r *http.Request) {
	var q struct{ RecordIDsToAdd, RecordIDsToRemove []string }
	if !s.decode(w, r, &q) {
		return
	}
	added, removed, missing := []string{}, []string{}, []string{}
	s.mu.Lock()
	l := s.lists[r.PathValue("id")]
	if l != nil && l.processing != "DYNAMIC" {
		for _, id := range q.RecordIDsToAdd {
			switch {
			case s.records["contacts"][id] == nil:
				missing = append(missing, id)
			case !l.members[id]:
				l.members[id] = true
				added = append(added, id)
			}
		}
		for _, id := range q.RecordIDsToRemove {
			if l.members[id] {
				delete(l.members, id)
				removed = append(removed, id)
			}
		}
		s.counts.Writes += len(added) + len(removed)
	}
	s.mu.Unlock()
	switch {
	case l == nil:
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "List does not exist"})
	case l.processing == "DYNAMIC":
		s.refuse(w, http.StatusBadRequest, *invalid("List memberships of a DYNAMIC list cannot be changed"))
	default:
		answer(w, http.StatusOK, map[string]any{"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing})
	}
}

func (s *Sim) readMemberships(w http.ResponseWriter, r *http.Request) {
	now := s.options.Now().UTC()
	results := []map[string]any{}
	s.mu.Lock()
	for _, l := range s.lists {
		if l.members[r.PathValue("id")] {
			results = append(results, map[string]any{"listId": l.id, "listVersion": 1, "firstAddedTimestamp": now, "lastAddedTimestamp": now})
		}
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"results": results, "total": len(results)})
}

// associationPage is how many associations of one record an answer holds.
const associationPage = 100

func (s *Sim) readAssociations(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Inputs []struct{ ID, After string }
	}
	if !s.decode(w, r, &q) || !s.sizeAllowed(w, len(q.Inputs)) {
		return
	}
	type to struct {
		ToObjectID string           `json:"toObjectId"`
		Types      []map[string]any `json:"associationTypes"`
	}
	results := []map[string]any{}
	b := s.newBatch()
	s.mu.Lock()
	for _, in := range q.Inputs {
		people := s.links[r.PathValue("from")+"/"+in.ID]
		if len(people) == 0 {
			b.fail(apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "No contact is associated with " + in.ID, Context: map[string][]string{"fromObjectId": {in.ID}}})
			continue
		}
		start := max(0, slices.Index(people, in.After))
		end := min(len(people), start+associationPage)
		one := map[string]any{"from": map[string]string{"id": in.ID}}
		tos := []to{}
		for _, id := range people[start:end] {
			tos = append(tos, to{id, []map[string]any{{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": nil}}})
		}
		one["to"] = tos
		if end < len(people) {
			one["paging"] = map[string]any{"next": map[string]string{"after": people[end]}}
		}
		results = append(results, one)
	}
	s.mu.Unlock()
	status := http.StatusOK
	if b.NumErrors > 0 {
		status = http.StatusMultiStatus
	}
	answer(w, status, map[string]any{"status": "COMPLETE", "results": results, "errors": b.Errors, "numErrors": b.NumErrors})
}
