package salesforcemarketingcloudsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (s *Sim) listCallbacks(w http.ResponseWriter, _ *http.Request, _ []byte) {
	all := []map[string]any{}
	for _, c := range s.callbacks {
		status := "notverified"
		if c.verified {
			status = "verified"
		}
		all = append(all, map[string]any{"callbackId": c.id, "callbackName": c.name, "url": c.url, "status": status})
	}
	answer(w, http.StatusOK, all)
}

// createCallback asks the URL its question before it answers.
func (s *Sim) createCallback(w http.ResponseWriter, _ *http.Request, body []byte) {
	var in []struct {
		Name string `json:"callbackName"`
		URL  string `json:"url"`
		Max  int    `json:"maxBatchSize"`
	}
	if json.Unmarshal(body, &in) != nil || len(in) != 1 || in[0].Name == "" || strings.ContainsAny(in[0].URL, "?#") || in[0].Max < 100 || in[0].Max > 1000 {
		refuse(w, http.StatusBadRequest, 10003, "The callback cannot be created")
		return
	}
	s.count++
	c := &callback{
		id: fmt.Sprintf("cb-%d", s.count), name: in[0].Name, url: in[0].URL,
		signature: fmt.Sprintf("signature-key-%d", s.count), verification: fmt.Sprintf("verification-%d", s.count),
	}
	s.callbacks = append(s.callbacks, c)
	s.writes++
	if s.Challenge == nil {
		c.verified = true
	} else {
		question := fmt.Sprintf(`{"callbackId":%q,"verificationKey":%q}`, c.id, c.verification)
		s.mu.Unlock()
		took := s.Challenge(c.url, []byte(question))
		s.mu.Lock()
		if !took {
			refuse(w, http.StatusBadRequest, 10003, "The callback did not answer the verification request")
			return
		}
	}
	answer(w, http.StatusCreated, []map[string]any{{"callbackId": c.id, "callbackName": c.name, "url": c.url, "maxBatchSize": in[0].Max, "signatureKey": c.signature}})
}

func (s *Sim) verify(w http.ResponseWriter, _ *http.Request, body []byte) {
	var in struct {
		ID  string `json:"callbackId"`
		Key string `json:"verificationKey"`
	}
	i := -1
	if json.Unmarshal(body, &in) == nil {
		i = slices.IndexFunc(s.callbacks, func(c *callback) bool { return c.id == in.ID && c.verification == in.Key })
	}
	if i < 0 {
		refuse(w, http.StatusBadRequest, 10003, "The verification key does not fit the callback")
		return
	}
	s.callbacks[i].verified = true
	s.writes++
	answer(w, http.StatusOK, map[string]any{})
}

func (s *Sim) deleteCallback(w http.ResponseWriter, r *http.Request, _ []byte) {
	id := r.PathValue("id")
	if slices.ContainsFunc(s.subscriptions, func(x map[string]any) bool { return x["callbackId"] == id }) {
		refuse(w, http.StatusConflict, 10003, "The callback has subscriptions")
		return
	}
	before := len(s.callbacks)
	s.callbacks = slices.DeleteFunc(s.callbacks, func(c *callback) bool { return c.id == id })
	if len(s.callbacks) == before {
		refuse(w, http.StatusNotFound, 10004, "There is no such callback")
		return
	}
	s.writes++
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) listSubscriptions(w http.ResponseWriter, r *http.Request, _ []byte) {
	all := []map[string]any{}
	for _, x := range s.subscriptions {
		if x["callbackId"] == r.PathValue("id") {
			all = append(all, x)
		}
	}
	answer(w, http.StatusOK, all)
}

func (s *Sim) subscribe(w http.ResponseWriter, _ *http.Request, body []byte) {
	var in []struct {
		Callback string   `json:"callbackId"`
		Name     string   `json:"subscriptionName"`
		Types    []string `json:"eventCategoryTypes"`
	}
	ok := json.Unmarshal(body, &in) == nil && len(in) == 1 && in[0].Name != "" && len(in[0].Types) > 0
	if !ok || !slices.ContainsFunc(s.callbacks, func(c *callback) bool { return c.id == in[0].Callback && c.verified }) {
		refuse(w, http.StatusBadRequest, 10003, "The callback is not verified")
		return
	}
	s.count++
	made := map[string]any{
		"subscriptionId": fmt.Sprintf("sub-%d", s.count), "callbackId": in[0].Callback, "subscriptionName": in[0].Name,
		"eventCategoryTypes": in[0].Types, "status": "active",
	}
	s.subscriptions = append(s.subscriptions, made)
	s.writes++
	answer(w, http.StatusCreated, []map[string]any{made})
}

func (s *Sim) unsubscribe(w http.ResponseWriter, r *http.Request, _ []byte) {
	before := len(s.subscriptions)
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(x map[string]any) bool { return x["subscriptionId"] == r.PathValue("id") })
	if len(s.subscriptions) == before {
		refuse(w, http.StatusNotFound, 10004, "There is no such subscription")
		return
	}
	s.writes++
	w.WriteHeader(http.StatusNoContent)
}
