package hubspotsim

import (
	"net/http"
	"strconv"
	"strings"
)

// mayCall checks the credentials: the developer key for the webhooks API, none
// for the token call, the bearer token for the rest.
func (s *Sim) mayCall(r *http.Request) bool {
	switch {
	case strings.HasPrefix(r.URL.Path, "/oauth/"):
		return true
	case strings.HasPrefix(r.URL.Path, "/webhooks/"):
		return s.options.DeveloperKey.Empty() || s.options.DeveloperKey.Equal(r.URL.Query().Get("hapikey"))
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	given := s.tokens[token]
	s.mu.Unlock()
	return bearer && token != "" && (s.options.Token.Empty() || given || s.options.Token.Equal(token))
}

// renewToken gives an OAuth token for any refresh token that is not "revoked".
func (s *Sim) renewToken(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") == "revoked" {
		s.refuse(w, http.StatusBadRequest, apiError{Status: "BAD_REFRESH_TOKEN", Message: "missing or invalid refresh token"})
		return
	}
	s.mu.Lock()
	token := "oauth-" + s.nextNumber()
	s.tokens[token] = true
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"access_token": token, "refresh_token": r.FormValue("refresh_token"), "token_type": "bearer", "expires_in": 1800,
	})
}

// RevokeTokens makes every OAuth token given out so far invalid.
func (s *Sim) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

func (s *Sim) account(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"portalId": s.options.PortalID, "accountType": "DEVELOPER_TEST", "timeZone": "Europe/Berlin",
		"companyCurrency": "EUR", "additionalCurrencies": []string{}, "utcOffset": "+01:00", "utcOffsetMilliseconds": 3600000,
		"uiDomain": "simulated.example.com", "dataHostingLocation": "simulated",
	})
}

// rateWindow is the length of HubSpot's rolling limit, in seconds.
const rateWindow = 10

// spend counts a call against the limit; the caller holds the lock.
func (s *Sim) spend() (left int, limited bool) {
	limit := s.options.RateLimit
	if limit == 0 {
		return 190, false
	}
	if now := s.options.Now().Unix() / rateWindow; now != s.window {
		s.window, s.inWindow = now, 0
	}
	s.inWindow++
	return max(0, limit-s.inWindow), s.inWindow > limit
}

func (s *Sim) rateHeaders(w http.ResponseWriter, left int) {
	limit := s.options.RateLimit
	if limit == 0 {
		limit = 190
	}
	h := w.Header()
	h.Set("X-HubSpot-RateLimit-Max", strconv.Itoa(limit))
	h.Set("X-HubSpot-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-HubSpot-RateLimit-Interval-Milliseconds", strconv.Itoa(rateWindow*1000))
	h.Set("X-HubSpot-RateLimit-Daily", "625000")
	h.Set("X-HubSpot-RateLimit-Daily-Remaining", "624000")
}
