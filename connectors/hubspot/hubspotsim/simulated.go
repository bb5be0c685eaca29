package hubspotsim

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

var _ standin.Simulated = (*Sim)(nil)

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }

// Connection implements standin.Simulated. Where the options name no secret,
// any is taken.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "app_id": strconv.FormatInt(s.options.AppID, 10)}, map[string]string{
		"client_secret": cmp.Or(s.options.ClientSecret.Reveal(), "simulated-hubspot-client-secret"),
		"access_token":  cmp.Or(s.options.Token.Reveal(), "simulated-hubspot-token"),
	}
}

// Held implements standin.Simulated, for a connection that keeps the segments
// in a property of their own.
func (s *Sim) Held() []standin.Held {
	var all []standin.Held
	for address, c := range s.Contacts() {
		h := standin.Held{Person: address, Stage: c.Properties["sb_stage"]}
		if segments := c.Properties["sb_segments"]; segments != "" {
			h.Segments = strings.Split(segments, ";")
		}
		if h.Stage != "" || h.Segments != nil {
			all = append(all, h)
		}
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int { return s.Counts().Writes }
