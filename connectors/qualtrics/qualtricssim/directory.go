package qualtricssim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Sim) whoami(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"userId": "UR_1x", "brandId": "acmebrand", "datacenterId": "fra1"})
}

// list shows no embedded data, two contacts a page.
func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("skipToken"))
	ids := slices.Sorted(maps.Keys(s.contacts))
	from = min(max(from, 0), len(ids))
	to := min(from+2, len(ids))
	elements := []any{}
	for _, id := range ids[from:to] {
		k := s.contacts[id]
		elements = append(elements, map[string]any{"contactId": id, "email": k.Email, "extRef": k.ExtRef, "firstName": k.First, "lastName": k.Last})
	}
	out := map[string]any{"elements": elements, "nextPage": nil}
	if to < len(ids) {
		out["nextPage"] = "https://fra1.qualtrics.com" + r.URL.Path + "?pageSize=2&skipToken=" + strconv.Itoa(to)
	}
	answer(w, out)
}

// search takes a single filter; addresses are compared without case.
func (s *Sim) search(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Filter struct {
			Type       string `json:"filterType"`
			Comparison string `json:"comparison"`
			Value      string `json:"value"`
		} `json:"filter"`
	}
	if !decode(w, r, &b) {
		return
	}
	if b.Filter.Comparison != "eq" || b.Filter.Value == "" {
		fail(w, http.StatusBadRequest, "QVAL_2", "The filter is invalid.")
		return
	}
	elements := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.contacts)) {
		k := s.contacts[id]
		if b.Filter.Type == "extRef" && k.ExtRef == b.Filter.Value || b.Filter.Type == "email" && strings.EqualFold(k.Email, b.Filter.Value) {
			elements = append(elements, map[string]any{"id": id, "email": k.Email, "extRef": k.ExtRef})
		}
	}
	answer(w, map[string]any{"elements": elements, "nextPage": nil})
}

func (s *Sim) contact(w http.ResponseWriter, r *http.Request) {
	k := s.contacts[r.PathValue("id")]
	if k == nil {
		notFound(w)
		return
	}
	answer(w, k)
}

// write is the body of a create and of an update.
type write struct {
	First        *string        `json:"firstName"`
	Last         *string        `json:"lastName"`
	Email        *string        `json:"email"`
	ExtRef       *string        `json:"extRef"`
	Unsubscribed *bool          `json:"unsubscribed"`
	Embedded     map[string]any `json:"embeddedData"`
}

func (s *Sim) apply(w http.ResponseWriter, b write, k *Contact) bool {
	if b.Email != nil && (!strings.Contains(*b.Email, "@") || s.refused[strings.ToLower(*b.Email)]) || s.refused[strings.ToLower(k.Email)] {
		fail(w, http.StatusBadRequest, "CONTACT_1", "The email address is invalid.")
		return false
	}
	for to, from := range map[*string]*string{&k.First: b.First, &k.Last: b.Last, &k.Email: b.Email, &k.ExtRef: b.ExtRef} {
		if from != nil {
			*to = *from
		}
	}
	if b.Unsubscribed != nil {
		k.Unsubscribed = *b.Unsubscribed
	}
	if s.replaces && b.Embedded != nil {
		k.Embedded = map[string]any{}
	}
	maps.Copy(k.Embedded, b.Embedded)
	s.writes++
	return true
}

func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	var b write
	k := Contact{Embedded: map[string]any{}}
	if decode(w, r, &b) && s.apply(w, b, &k) {
		answer(w, map[string]any{"id": s.add(k)})
	}
}

func (s *Sim) update(w http.ResponseWriter, r *http.Request) {
	var b write
	k := s.contacts[r.PathValue("id")]
	if k == nil {
		notFound(w)
		return
	}
	if decode(w, r, &b) && s.apply(w, b, k) {
		answer(w, nil)
	}
}

func (s *Sim) remove(w http.ResponseWriter, r *http.Request) {
	if s.contacts[r.PathValue("id")] == nil {
		notFound(w)
		return
	}
	delete(s.contacts, r.PathValue("id"))
	s.writes++
	answer(w, nil)
}

func (s *Sim) erase(w http.ResponseWriter, r *http.Request) {
	var b map[string]any
	if !decode(w, r, &b) {
		return
	}
	s.erasures = append(s.erasures, b)
	s.writes++
	answer(w, map[string]any{"requestId": "ERASE_1"})
}

// Erasures gives the requests for erasure as they were sent.
func (s *Sim) Erasures() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.erasures)
}

func (s *Sim) response(w http.ResponseWriter, r *http.Request) {
	found, ok := s.responses[r.PathValue("survey")+"/"+r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	answer(w, found)
}

// listSubscriptions shows no shared keys.
func (s *Sim) listSubscriptions(w http.ResponseWriter, _ *http.Request) {
	elements := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.subscriptions)) {
		elements = append(elements, map[string]any{"id": id, "topics": s.subscriptions[id]["topics"], "publicationUrl": s.subscriptions[id]["publicationUrl"]})
	}
	answer(w, map[string]any{"elements": elements, "nextPage": nil})
}

func (s *Sim) subscribe(w http.ResponseWriter, r *http.Request) {
	var b map[string]any
	if !decode(w, r, &b) {
		return
	}
	if b["topics"] == nil || b["publicationUrl"] == nil {
		fail(w, http.StatusBadRequest, "ES_1", "topics and publicationUrl are required.")
		return
	}
	s.next++
	s.writes++
	id := "SUB_" + strconv.Itoa(s.next)
	s.subscriptions[id] = b
	answer(w, map[string]any{"id": id})
}

func (s *Sim) unsubscribe(w http.ResponseWriter, r *http.Request) {
	if s.subscriptions[r.PathValue("id")] == nil {
		notFound(w)
		return
	}
	delete(s.subscriptions, r.PathValue("id"))
	s.writes++
	answer(w, nil)
}

// Subscriptions gives the subscriptions as they were sent, shared key included.
func (s *Sim) Subscriptions() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(s.subscriptions)) {
		all = append(all, maps.Clone(s.subscriptions[id]))
	}
	return all
}
