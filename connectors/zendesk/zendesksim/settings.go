package zendesksim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (s *Sim) listFields(c *call) {
	c.answer = map[string]any{"user_fields": append([]map[string]any{}, s.fields...), "count": len(s.fields), "next_page": nil, "previous_page": nil}
}

func (s *Sim) createField(c *call) {
	var in struct {
		Field map[string]any `json:"user_field"`
	}
	if !c.decode(&in) {
		return
	}
	taken := slices.ContainsFunc(s.fields, func(f map[string]any) bool { return f["key"] == in.Field["key"] })
	if in.Field["key"] == nil || in.Field["type"] == nil || in.Field["title"] == nil || taken {
		c.fail(http.StatusUnprocessableEntity, "RecordInvalid", "Record validation errors: key")
		return
	}
	in.Field["id"], in.Field["active"] = 360000+len(s.fields), true
	s.fields = append(s.fields, in.Field)
	c.status, c.answer = http.StatusCreated, map[string]any{"user_field": in.Field}
}

// listWebhooks gives one webhook a page.
func (s *Sim) listWebhooks(c *call) {
	at := 0
	_, _ = fmt.Sscan(c.r.URL.Query().Get("page[after]"), &at)
	shown := []any{}
	if at >= 0 && at < len(s.hooks) {
		shown = append(shown, s.hooks[at])
	}
	c.answer = map[string]any{"webhooks": shown, "meta": map[string]any{"has_more": at+1 < len(s.hooks), "after_cursor": fmt.Sprint(at + 1)}}
}

// refuses says whether the account takes the subscriptions of a webhook.
func (s *Sim) refuses(hook map[string]any) bool {
	list, _ := hook["subscriptions"].([]any)
	for _, one := range list {
		name, _ := one.(string)
		slash := strings.HasSuffix(name, "user.identity_created") || strings.HasSuffix(name, "user.identity_changed") || strings.HasSuffix(name, "user.merged")
		switch {
		case s.plain && strings.Contains(name, "ticket."):
			return true
		case slash && s.spelling != strings.HasPrefix(name, "zen:event-type/"):
			return true
		}
	}
	return false
}

// changed reads a webhook out of the body.
func (s *Sim) changed(c *call) (hook map[string]any, ok bool) {
	var in struct {
		Webhook map[string]any `json:"webhook"`
	}
	if !c.decode(&in) {
		return nil, false
	}
	if s.refuses(in.Webhook) {
		c.fail(http.StatusBadRequest, "InvalidRequest", "subscriptions: not a known event type")
		return nil, false
	}
	return in.Webhook, true
}

func (s *Sim) createWebhook(c *call) {
	hook, ok := s.changed(c)
	if !ok {
		return
	}
	hook["id"] = fmt.Sprintf("01SIM%d", len(s.hooks)+1)
	s.hooks = append(s.hooks, hook)
	c.status, c.answer = http.StatusCreated, map[string]any{"webhook": hook}
}

func (s *Sim) hook(c *call) int {
	i := slices.IndexFunc(s.hooks, func(h map[string]any) bool { return h["id"] == c.r.PathValue("id") })
	if i < 0 {
		c.missing()
	}
	return i
}

func (s *Sim) changeWebhook(c *call) {
	i := s.hook(c)
	if i < 0 {
		return
	}
	hook, ok := s.changed(c)
	if !ok {
		return
	}
	for name, value := range hook {
		s.hooks[i][name] = value
	}
	c.status = http.StatusNoContent
}

func (s *Sim) deleteWebhook(c *call) {
	if i := s.hook(c); i >= 0 {
		s.hooks = slices.Delete(s.hooks, i, i+1)
		c.status = http.StatusNoContent
	}
}

func (s *Sim) signingSecret(c *call) {
	if i := s.hook(c); i >= 0 {
		c.answer = map[string]any{"signing_secret": map[string]any{"algorithm": "SHA256", "secret": fmt.Sprintf("signing-secret-of-%v", s.hooks[i]["id"])}}
	}
}
