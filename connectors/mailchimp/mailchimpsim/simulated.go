package mailchimpsim

import (
	"strings"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

var _ standin.Simulated = (*Sim)(nil)

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "audience_id": s.options.Audience}, map[string]string{
		"api_key": s.options.Key, "signing_secret": "simulated-mailchimp-signing-secret",
	}
}

// Held implements standin.Simulated, for a connection that keeps the names of
// field and tags that it has from the start.
func (s *Sim) Held() []standin.Held {
	var all []standin.Held
	for address, m := range s.Members() {
		h := standin.Held{Person: address}
		h.Stage, _ = m.Merge["SBSTAGE"].(string)
		for _, tag := range m.Tags {
			if name, ours := strings.CutPrefix(tag, "sb:"); ours {
				h.Segments = append(h.Segments, name)
			}
		}
		if h.Stage != "" || h.Segments != nil {
			all = append(all, h)
		}
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int { return s.Counts().Writes() }
