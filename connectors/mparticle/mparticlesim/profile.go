package mparticlesim

import (
	"encoding/json"
	"net/http"
	"strconv"
)

func (s *Sim) grant(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		Audience string `json:"audience"`
		Grant    string `json:"grant_type"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.ID != ClientID || in.Secret != ClientSecret ||
		in.Audience != "https://api.mparticle.com" || in.Grant != "client_credentials" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "access_denied", "error_description": "Unauthorized"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": s.valid(), "expires_in": 28800, "token_type": "Bearer"})
}

// valid is the access token of the hour.
func (s *Sim) valid() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "simulated-token-" + strconv.Itoa(s.token)
}

func (s *Sim) profile(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.valid() {
		answer(w, http.StatusUnauthorized, map[string]any{"message": "Unauthorized"})
		return
	}
	p, ok := s.Person(r.PathValue("mpid"))
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"message": "not found"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"mpid": strconv.FormatInt(p.MPID, 10), "user_attributes": p.Attributes})
}

func permitted(w http.ResponseWriter, r *http.Request) bool {
	if key, secret, _ := r.BasicAuth(); key == WorkspaceKey && secret == WorkspaceSecret {
		return true
	}
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

func (s *Sim) file(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Regulation string         `json:"regulation"`
		ID         string         `json:"subject_request_id"`
		Type       string         `json:"subject_request_type"`
		Submitted  string         `json:"submitted_time"`
		Identities map[string]any `json:"subject_identities"`
		Extensions map[string]any `json:"extensions"`
	}
	if !permitted(w, r) {
		return
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Regulation != "gdpr" && in.Regulation != "ccpa" || len(in.ID) != 36 ||
		in.Type != "erasure" || in.Submitted == "" || len(in.Identities) == 0 && len(in.Extensions) == 0 {
		refuse(w, http.StatusBadRequest, "the request is not valid")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[in.ID] = "pending"
	s.writes++
	answer(w, http.StatusCreated, map[string]any{"subject_request_id": in.ID, "controller_id": "3"})
}

func (s *Sim) filed(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r) {
		return
	}
	s.mu.Lock()
	status, ok := s.requests[r.PathValue("id")]
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer(w, http.StatusOK, map[string]any{"subject_request_id": r.PathValue("id"), "request_status": status})
}
