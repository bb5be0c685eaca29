package mailchimpsim

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// hook is one webhook of the audience.
type hook struct {
	ID      string          `json:"id"`
	URL     string          `json:"url"`
	Events  map[string]bool `json:"events"`
	Sources map[string]bool `json:"sources"`
	ListID  string          `json:"list_id"`
	Signing bool            `json:"signing_enabled"`
	secret  string
}

// hookCreated is the one answer that shows the signing secret.
type hookCreated struct {
	*hook
	Secret string `json:"signing_secret"`
}

var eventTypes = []string{"subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign"}

func (s *Sim) getHooks(c *call) *problem {
	hooks := slices.Clone(s.hooks)
	if hooks == nil {
		hooks = []*hook{}
	}
	c.answer = map[string]any{"webhooks": hooks, "list_id": s.options.Audience, "total_items": len(hooks)}
	return nil
}

func (s *Sim) postHook(c *call) *problem {
	var w hook
	if p := c.decode(&w); p != nil {
		return p
	}
	if p := s.checkHook(c, w.URL); p != nil {
		return p
	}
	h := s.addHook(w.URL, "", w.Events, w.Sources)
	s.counts.Webhooks++
	c.answer = hookCreated{h, h.secret}
	return nil
}

// addHook keeps a webhook; an empty secret makes one up.
func (s *Sim) addHook(address, secret string, events, sources map[string]bool) *hook {
	s.lastID++
	h := &hook{
		ID: fmt.Sprintf("%010x", s.lastID), URL: address, Events: switches(eventTypes, events),
		Sources: switches([]string{"user", "admin", "api"}, sources), ListID: s.options.Audience,
	}
	if !s.options.Unsigned {
		if secret == "" {
			secret = rand.Text()
		}
		h.Signing, h.secret = true, secret
	}
	s.hooks = append(s.hooks, h)
	return h
}

func switches(names []string, given map[string]bool) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = given[name]
	}
	return all
}

// checkHook validates the address, and asks it for a sign of life if told to.
// The lock is open while it asks.
func (s *Sim) checkHook(c *call, address string) *problem {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return badRequest("Invalid Resource", "We couldn't connect to this URL.", fieldProblem{"url", "Please provide a valid URL."})
	}
	if !s.options.Probe {
		return nil
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	req, err := http.NewRequestWithContext(c.r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return badRequest("Invalid Resource", "We couldn't connect to this URL.")
	}
	req.Header.Set("User-Agent", "MailChimp.com WebHook Validator")
	res, err := s.options.Client.Do(req)
	if err != nil {
		return badRequest("Invalid Resource", "We couldn't connect to this URL.")
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return badRequest("Invalid Resource", fmt.Sprintf("The URL answered with %d.", res.StatusCode))
	}
	return nil
}

func (s *Sim) hook(id string) *hook {
	for _, h := range s.hooks {
		if h.ID == id {
			return h
		}
	}
	return nil
}

func (s *Sim) patchHook(c *call) *problem {
	var w hook
	if p := c.decode(&w); p != nil {
		return p
	}
	h := s.hook(c.r.PathValue("hook"))
	if h == nil {
		return notFound()
	}
	if w.URL != "" {
		if p := s.checkHook(c, w.URL); p != nil {
			return p
		}
		h.URL = w.URL
	}
	for name, on := range w.Events {
		h.Events[name] = on
	}
	for name, on := range w.Sources {
		h.Sources[name] = on
	}
	s.counts.Webhooks++
	c.answer = h
	return nil
}

func (s *Sim) deleteHook(c *call) *problem {
	h := s.hook(c.r.PathValue("hook"))
	if h == nil {
		return notFound()
	}
	s.hooks = slices.DeleteFunc(s.hooks, func(o *hook) bool { return o == h })
	s.counts.Webhooks++
	return nil
}
