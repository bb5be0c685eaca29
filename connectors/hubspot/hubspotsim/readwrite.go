package hubspotsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Sim) batchRead(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Properties []string `json:"properties"`
		IDProperty string   `json:"idProperty"`
		Inputs     []input  `json:"inputs"`
	}
	if !s.decode(w, r, &q) || !s.kindKnown(w, r) || !s.sizeAllowed(w, len(q.Inputs)) {
		return
	}
	kind := r.PathValue("type")
	b := s.newBatch()
	s.mu.Lock()
	told := map[string]bool{}
	var missing []string
	for _, in := range q.Inputs {
		o := s.find(kind, q.IDProperty, in.ID)
		if o == nil {
			missing = append(missing, in.ID)
		} else if !told[o.id] {
			told[o.id] = true
			b.Results = append(b.Results, s.show(o, q.Properties))
		}
	}
	s.mu.Unlock()
	if len(missing) > 0 {
		b.fail(apiError{
			Status: "error", Category: "OBJECT_NOT_FOUND", Context: map[string][]string{"ids": missing},
			Message: "Could not get some " + strings.ToUpper(kind) + " objects, they may be deleted or not exist. Check that ids are valid.",
		})
	}
	b.answer(s, w, http.StatusOK)
}

// find looks a record up by id, also by one that was merged away, or by another
// property; the caller holds the lock.
func (s *Sim) find(kind, idProperty, id string) *record {
	switch idProperty {
	case "", "hs_object_id":
		for kind == "contacts" && s.merged[id] != "" {
			id = s.merged[id]
		}
		return s.records[kind][id]
	case "email":
		return s.records[kind][s.byEmail[fold(id)]]
	}
	for _, o := range s.records[kind] {
		if o.properties[idProperty] == id {
			return o
		}
	}
	return nil
}

// show gives the properties asked for, null where there is none, and those that
// are always told; the caller holds the lock.
func (s *Sim) show(o *record, names []string) result {
	r := result{ID: o.id, Properties: map[string]*string{}, CreatedAt: o.created, UpdatedAt: o.updated}
	for _, name := range names {
		r.Properties[name] = nil
		if value, there := o.properties[name]; there {
			r.Properties[name] = &value
		}
	}
	created, updated := o.created.Format(time.RFC3339Nano), o.updated.Format(time.RFC3339Nano)
	r.Properties["hs_object_id"], r.Properties["createdate"] = &o.id, &created
	r.Properties["lastmodifieddate"] = &updated
	if slices.Contains(names, "hs_lastmodifieddate") {
		r.Properties["hs_lastmodifieddate"] = &updated
		delete(r.Properties, "lastmodifieddate")
	}
	return r
}

func (s *Sim) readOne(w http.ResponseWriter, r *http.Request) {
	if !s.kindKnown(w, r) {
		return
	}
	query := r.URL.Query()
	s.mu.Lock()
	o := s.find(r.PathValue("type"), query.Get("idProperty"), r.PathValue("id"))
	var shown result
	if o != nil {
		shown = s.show(o, strings.Split(query.Get("properties"), ","))
	}
	s.mu.Unlock()
	if o == nil {
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "resource not found"})
		return
	}
	answer(w, http.StatusOK, shown)
}

func (s *Sim) updateOne(w http.ResponseWriter, r *http.Request) {
	var in input
	if !s.decode(w, r, &in) || !s.kindKnown(w, r) {
		return
	}
	kind := r.PathValue("type")
	s.mu.Lock()
	o := s.find(kind, r.URL.Query().Get("idProperty"), r.PathValue("id"))
	var shown result
	var refusal *apiError
	if o != nil {
		if refusal = s.apply(kind, o, in.Properties); refusal == nil {
			s.counts.Writes++
			shown = s.show(o, names(in.Properties))
		}
	}
	s.mu.Unlock()
	switch {
	case o == nil:
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "resource not found"})
	case refusal != nil:
		s.refuse(w, http.StatusBadRequest, *refusal)
	default:
		answer(w, http.StatusOK, shown)
	}
}
