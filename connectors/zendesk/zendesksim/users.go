package zendesksim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// shown is a user as the API shows one.
func (s *Sim) shown(u *user) map[string]any {
	fields := map[string]any{}
	for _, f := range s.fields {
		key, _ := f["key"].(string)
		fields[key] = u.fields[key]
	}
	return map[string]any{
		"id": u.id, "name": u.name, "email": u.email, "external_id": nullable(u.externalID), "role": u.role, "active": !u.deleted,
		"created_at": "2026-01-10T08:00:00Z", "updated_at": "2026-11-20T09:15:00Z", "tags": append([]string{}, u.tags...), "user_fields": fields,
	}
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (s *Sim) me(c *call) {
	c.answer = map[string]any{"user": map[string]any{"id": 7700, "name": "Admin", "email": email, "role": "admin"}}
}

func (s *Sim) showMany(c *call) {
	shown := []any{}
	for id := range strings.SplitSeq(c.r.URL.Query().Get("ids"), ",") {
		if u := s.find(id); u != nil {
			shown = append(shown, s.shown(u))
		}
	}
	c.answer = map[string]any{"users": shown}
}

// search finds what holds the address anywhere, as the real one may.
func (s *Sim) search(c *call) {
	term := strings.ToLower(strings.Trim(strings.TrimPrefix(c.r.URL.Query().Get("query"), "email:"), `"`))
	shown := []any{}
	for _, u := range s.users {
		addresses := strings.ToLower(strings.Join(append([]string{u.email}, u.others...), " "))
		if !u.deleted && strings.Contains(addresses, term) {
			shown = append(shown, s.shown(u))
		}
	}
	c.answer = map[string]any{"users": shown}
}

func (s *Sim) identities(c *call) {
	u := s.find(c.r.PathValue("id"))
	if u == nil {
		c.missing()
		return
	}
	var all []any
	for i, address := range append([]string{u.email}, u.others...) {
		all = append(all, map[string]any{"id": u.id*100 + int64(i), "user_id": u.id, "type": "email", "value": address, "primary": i == 0, "verified": true})
	}
	c.answer = map[string]any{"identities": all}
}

// set writes user fields that exist; others are passed over.
func (s *Sim) set(u *user, values map[string]any) {
	for _, f := range s.fields {
		key, _ := f["key"].(string)
		if value, given := values[key]; given {
			u.fields[key] = value
		}
	}
}

func (s *Sim) updateMany(c *call) {
	var in struct {
		Users []struct {
			ID     json.Number    `json:"id"`
			Fields map[string]any `json:"user_fields"`
			Tags   []string       `json:"tags"`
		} `json:"users"`
	}
	if !c.decode(&in) {
		return
	}
	if len(in.Users) == 0 || len(in.Users) > 100 {
		c.fail(http.StatusBadRequest, "TooManyValues", "At most 100 users")
		return
	}
	j := &job{polls: s.hold}
	for _, w := range in.Users {
		u := s.find(w.ID.String())
		if u == nil {
			j.results = append(j.results, notFound(w.ID))
			continue
		}
		if words, refused := s.refused[u.email]; refused {
			j.results = append(j.results, map[string]any{"id": u.id, "action": "update", "success": false, "error": "UserUpdateError", "details": words})
			continue
		}
		s.set(u, w.Fields)
		if w.Tags != nil {
			u.tags = w.Tags
		}
		j.results = append(j.results, map[string]any{"id": u.id, "action": "update", "success": true, "status": "Updated"})
	}
	id := fmt.Sprintf("job-%d", len(s.jobs)+1)
	s.jobs[id] = j
	c.answer = status(id, "queued", j, nil)
}

func status(id, word string, j *job, results any) map[string]any {
	return map[string]any{"job_status": map[string]any{
		"id": id, "url": "https://acme.zendesk.com/api/v2/job_statuses/" + id, "status": word, "total": len(j.results), "progress": 0, "message": nil, "results": results,
	}}
}

func (s *Sim) jobStatus(c *call) {
	id := c.r.PathValue("id")
	j := s.jobs[id]
	switch {
	case j == nil:
		c.missing()
	case j.polls > 0:
		j.polls--
		c.answer = status(id, "working", j, nil)
	default:
		c.answer = status(id, "completed", j, j.results)
	}
}

func (s *Sim) createOrUpdate(c *call) {
	var in struct {
		User struct {
			Name, Email string
			Fields      map[string]any `json:"user_fields"`
		} `json:"user"`
	}
	if !c.decode(&in) {
		return
	}
	if words, refused := s.refused[in.User.Email]; refused || in.User.Email == "" || in.User.Name == "" {
		c.fail(http.StatusUnprocessableEntity, "RecordInvalid", "Record validation errors: "+words)
		return
	}
	i := slices.IndexFunc(s.users, func(u *user) bool {
		return !u.deleted && (strings.EqualFold(u.email, in.User.Email) || slices.Contains(u.others, in.User.Email))
	})
	var u *user
	if i >= 0 {
		u = s.users[i]
	} else {
		u, c.status = s.add(in.User.Name, in.User.Email), http.StatusCreated
	}
	s.set(u, in.User.Fields)
	c.answer = map[string]any{"user": s.shown(u)}
}

func (s *Sim) addTags(c *call) {
	s.changeTags(c, func(u *user, tags []string) {
		for _, tag := range tags {
			if !slices.Contains(u.tags, tag) {
				u.tags = append(u.tags, tag)
			}
		}
	})
}

func (s *Sim) removeTags(c *call) {
	s.changeTags(c, func(u *user, tags []string) {
		u.tags = slices.DeleteFunc(u.tags, func(tag string) bool { return slices.Contains(tags, tag) })
	})
}

func (s *Sim) changeTags(c *call, change func(*user, []string)) {
	var in struct {
		Tags []string `json:"tags"`
	}
	u := s.find(c.r.PathValue("id"))
	if u == nil {
		c.missing()
		return
	}
	if c.decode(&in) {
		change(u, in.Tags)
		c.answer = map[string]any{"tags": append([]string{}, u.tags...)}
	}
}

func (s *Sim) deleteUser(c *call) {
	u := s.find(c.r.PathValue("id"))
	switch {
	case u == nil:
		c.missing()
	case u.pinned:
		c.status, c.answer = http.StatusUnprocessableEntity, map[string]any{
			"error": "RecordInvalid", "description": "Record validation errors",
			"details": map[string]any{"base": []any{map[string]any{"description": "User has open tickets"}}},
		}
	default:
		u.deleted = true
		c.answer = map[string]any{"user": s.shown(u)}
	}
}

func (s *Sim) eraseUser(c *call) {
	for _, u := range s.users {
		if strconv.FormatInt(u.id, 10) == c.r.PathValue("id") && u.deleted && !s.erased[u.id] {
			s.erased[u.id] = true
			c.answer = map[string]any{"deleted_user": map[string]any{"id": u.id, "active": false}}
			return
		}
	}
	c.missing()
}

// export gives two users a page, so that a few users make several.
func (s *Sim) export(c *call) {
	const page = 2
	at, _ := strconv.Atoi(c.r.URL.Query().Get("cursor"))
	at = min(max(at, 0), len(s.users))
	end := min(at+page, len(s.users))
	shown := []any{}
	for _, u := range s.users[at:end] {
		shown = append(shown, s.shown(u))
	}
	c.answer = map[string]any{"users": shown, "after_cursor": strconv.Itoa(end), "end_of_stream": end == len(s.users)}
}
