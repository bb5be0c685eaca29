package hubspotsim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// maxBatch is the most inputs of a batch call.
const maxBatch = 100

// input is one row of a batch.
type input struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty"`
	TraceID    string            `json:"objectWriteTraceId"`
	Properties map[string]string `json:"properties"`
}

// result is one record in an answer.
type result struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
	CreatedAt  time.Time          `json:"createdAt"`
	UpdatedAt  time.Time          `json:"updatedAt"`
	Archived   bool               `json:"archived"`
	New        *bool              `json:"new,omitempty"`
	TraceID    string             `json:"objectWriteTraceId,omitempty"`
}

// batch is the answer to a batch call.
type batch struct {
	Status      string     `json:"status"`
	Results     []result   `json:"results"`
	NumErrors   int        `json:"numErrors,omitempty"`
	Errors      []apiError `json:"errors,omitempty"`
	StartedAt   time.Time  `json:"startedAt"`
	CompletedAt time.Time  `json:"completedAt"`
}

func (s *Sim) batchUpdate(w http.ResponseWriter, r *http.Request) {
	s.batchWrite(w, r, http.StatusOK, func(kind string, in input) (*record, *bool, *apiError) {
		o := s.find(kind, in.IDProperty, in.ID)
		if o == nil {
			return nil, nil, &apiError{
				Status: "error", Category: "OBJECT_NOT_FOUND", Context: map[string][]string{"ids": {in.ID}},
				Message: "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
			}
		}
		return o, nil, s.apply(kind, o, in.Properties)
	})
}

func (s *Sim) batchUpsert(w http.ResponseWriter, r *http.Request) {
	s.batchWrite(w, r, http.StatusOK, func(kind string, in input) (*record, *bool, *apiError) {
		if in.IDProperty == "" || in.IDProperty == "hs_object_id" {
			return nil, nil, invalid("idProperty must name a unique property")
		}
		isNew := false
		o := s.find(kind, in.IDProperty, in.ID)
		if o == nil {
			isNew = true
			properties := map[string]string{in.IDProperty: in.ID}
			for name, value := range in.Properties {
				properties[name] = value
			}
			made, refusal := s.make(kind, properties)
			return made, &isNew, refusal
		}
		properties := make(map[string]string, len(in.Properties))
		for name, value := range in.Properties {
			// Found by another of its addresses, a contact keeps the primary one.
			if name != in.IDProperty {
				properties[name] = value
			}
		}
		return o, &isNew, s.apply(kind, o, properties)
	})
}

func (s *Sim) batchCreate(w http.ResponseWriter, r *http.Request) {
	s.batchWrite(w, r, http.StatusCreated, func(kind string, in input) (*record, *bool, *apiError) {
		made, refusal := s.make(kind, in.Properties)
		return made, nil, refusal
	})
}

// make creates a record by the API; the caller holds the lock.
func (s *Sim) make(kind string, properties map[string]string) (*record, *apiError) {
	if e := s.valid(kind, nil, properties); e != nil {
		return nil, e
	}
	given := map[string]string{}
	for name, value := range properties {
		if value != "" {
			given[name] = value
		}
	}
	s.counts.Created++
	return s.create(kind, given, s.app()), nil
}

// batchWrite runs a batch of writes. One bad row fails alone if every row has a
// trace id, else the whole batch does.
func (s *Sim) batchWrite(w http.ResponseWriter, r *http.Request, ok int, write func(kind string, in input) (*record, *bool, *apiError)) {
	var q struct {
		Inputs []input `json:"inputs"`
	}
	if !s.decode(w, r, &q) || !s.kindKnown(w, r) || !s.sizeAllowed(w, len(q.Inputs)) {
		return
	}
	kind := r.PathValue("type")
	whole := s.options.RefuseWhole || slices.ContainsFunc(q.Inputs, func(in input) bool { return in.TraceID == "" })
	seen := map[string]bool{}
	for _, in := range q.Inputs {
		if seen[fold(in.ID)] && in.ID != "" {
			s.refuse(w, http.StatusBadRequest, *invalid("Duplicate IDs found in batch input: [" + in.ID + "]. IDs must be unique"))
			return
		}
		seen[fold(in.ID)] = true
	}
	b := s.newBatch()
	s.mu.Lock()
	if whole {
		for _, in := range q.Inputs {
			if e := s.valid(kind, s.find(kind, in.IDProperty, in.ID), withID(in)); e != nil {
				s.mu.Unlock()
				s.refuse(w, http.StatusBadRequest, *e)
				return
			}
		}
	}
	for _, in := range q.Inputs {
		o, isNew, refusal := write(kind, in)
		if refusal != nil {
			if refusal.Context == nil {
				refusal.Context = map[string][]string{}
			}
			if in.TraceID != "" {
				refusal.Context["objectWriteTraceId"] = []string{in.TraceID}
			}
			s.counts.Refused++
			b.fail(*refusal)
			continue
		}
		s.counts.Writes++
		shown := s.show(o, names(in.Properties))
		shown.New = isNew
		if s.options.TellTraceIDs {
			shown.TraceID = in.TraceID
		}
		b.Results = append(b.Results, shown)
	}
	s.mu.Unlock()
	b.answer(s, w, ok)
}

// withID is a row's properties with the one it is known by.
func withID(in input) map[string]string {
	properties := map[string]string{}
	if in.IDProperty != "" {
		properties[in.IDProperty] = in.ID
	}
	for name, value := range in.Properties {
		properties[name] = value
	}
	return properties
}

func names(properties map[string]string) []string {
	all := []string{"email"}
	for name := range properties {
		all = append(all, name)
	}
	return all
}

func (s *Sim) kindKnown(w http.ResponseWriter, r *http.Request) bool {
	if singular[r.PathValue("type")] == "" {
		s.refuse(w, http.StatusBadRequest, *invalid("Unable to infer object type from: " + r.PathValue("type")))
		return false
	}
	return true
}

func (s *Sim) sizeAllowed(w http.ResponseWriter, n int) bool {
	if n == 0 || n > maxBatch {
		s.refuse(w, http.StatusBadRequest, *invalid(fmt.Sprintf("a batch holds 1 to %d inputs, this one %d", maxBatch, n)))
		return false
	}
	return true
}

func (s *Sim) newBatch() *batch {
	now := s.options.Now().UTC()
	return &batch{Status: "COMPLETE", Results: []result{}, StartedAt: now, CompletedAt: now}
}

func (b *batch) fail(e apiError) {
	e.Links, e.Errors = map[string]string{}, []string{}
	b.Errors = append(b.Errors, e)
	b.NumErrors++
}

// answer tells the batch: 207 where a row failed.
func (b *batch) answer(_ *Sim, w http.ResponseWriter, ok int) {
	if b.NumErrors > 0 {
		ok = http.StatusMultiStatus
	}
	answer(w, ok, b)
}
