package zendesk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxPaced is how many users one Push makes at one a second; more would outlast
// the time that a push has. The others are told to come again.
const maxPaced = 30

// writeFields writes the user fields of everybody who is there in one job. A
// call for a single user would be held to one a second.
func (p *push) writeFields(ctx context.Context) {
	var tasks []*task
	var users []userWrite
	for _, t := range p.Open() {
		if t.user != nil && t.Fields() {
			values := p.c.values(t)
			p.c.noteWritten(t, values)
			tasks = append(tasks, t)
			users = append(users, userWrite{ID: json.Number(t.id), Fields: values})
		}
	}
	if len(tasks) == 0 {
		return
	}
	var answer jobAnswer
	err := p.c.api.call(ctx, "update users", http.MethodPut, "/users/update_many", map[string]any{"users": users}, &answer)
	if err == nil && answer.Job.ID == "" {
		err = &connectors.PushError{Act: "zendesk: update users", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no job"}
	}
	if err != nil {
		for _, t := range tasks {
			t.wrote = nil
			t.End(connectors.PersonResult(connectors.AsPushError(err)))
		}
		p.Note(connectors.AsPushError(err))
		return
	}
	p.Arrival()
	for _, t := range tasks {
		t.job = answer.Job.ID
	}
}

// create makes the users who are missing, one a second once Zendesk asks for
// that. The call finds a user by address where the search did not know of one
// yet.
func (p *push) create(ctx context.Context) {
	made := 0
	for _, t := range p.Open() {
		if t.user != nil {
			continue
		}
		if away := p.Stopped(); away != nil {
			t.End(connectors.NotAttempted(away))
			continue
		}
		made++
		if p.c.paced() && made > maxPaced || p.c.creates.Wait(ctx) != nil {
			t.End(connectors.Result{
				Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Delay: 2 * time.Second,
				Message: "Zendesk lets one user a second be made, and this batch had too many",
			})
			continue
		}
		p.createOne(ctx, t)
	}
}

func (p *push) createOne(ctx context.Context, t *task) {
	values := p.c.values(t)
	name, _, _ := strings.Cut(t.email, "@")
	in := map[string]userWrite{"user": {Name: name, Email: t.email, Fields: values, SkipVerify: true}}
	var answer struct {
		User user `json:"user"`
	}
	send := func() error {
		return p.c.api.call(ctx, "create a user", http.MethodPost, "/users/create_or_update", in, &answer)
	}
	err := send()
	if connectors.ReasonOf(err) == connectors.ReasonRateLimit && !p.c.paced() {
		p.c.creates.SetLimit(rate.Every(createEvery))
		if pause(ctx, max(connectors.AsPushError(err).RetryAfter, createEvery)) {
			err = send()
		}
	}
	if err == nil && !digits(answer.User.ID.String()) {
		err = &connectors.PushError{Act: "zendesk: create a user", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no user"}
	}
	if err != nil {
		p.Fail(t, err)
		return
	}
	p.Arrival()
	stage := t.Stage
	p.c.settle(t, &answer.User)
	p.c.noteWritten(t, values)
	if stage != "" && t.Stage != "" && answer.User.Fields != nil {
		p.c.fields.forget()
		t.End(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
			Message: "Zendesk did not keep the stage in the user field " + p.c.stageField,
		})
	}
	t.Traits = nil
}

// paced reports whether Zendesk has asked to make users slowly.
func (c *Connector) paced() bool { return c.creates.Limit() != rate.Inf }

// pause waits and reports whether there is still time to go on; a long pause is
// left to the next push.
func pause(ctx context.Context, d time.Duration) bool {
	if d > maxPause {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// maxPause is the longest pause that is waited for within a push.
const maxPause = 5 * time.Second

// writeTags adds and removes single tags of one user; every other tag stays.
func (p *push) writeTags(ctx context.Context, t *task) {
	if t.user == nil {
		return
	}
	for _, change := range []struct {
		method, kind string
		tags         []string
	}{{http.MethodPut, "added", t.Add}, {http.MethodDelete, "removed", t.Remove}} {
		if len(change.tags) == 0 {
			continue
		}
		answer, err := p.c.api.do(ctx, "write a user's tags", change.method, "/users/"+url.PathEscape(t.id)+"/tags", map[string]any{"tags": change.tags})
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			// Gone since it was read a moment ago; the next try finds out.
			e := *connectors.AsPushError(err)
			e.Retryable = true
			t.End(e.Result())
			return
		case err != nil:
			p.Fail(t, err)
			return
		}
		p.Arrival()
		for _, tag := range change.tags {
			t.wrote = append(t.wrote, connectors.Field{Record: t.id, Name: tagMark(tag), Value: change.kind})
		}
		if change.method == http.MethodPut && !keeps(answer, change.tags) {
			t.End(connectors.Result{
				Outcome: connectors.Permanent, Reason: connectors.ReasonSettings,
				Message: "Zendesk did not keep the tag; tags on users have to be switched on there",
			})
			return
		}
	}
}

// keeps reports whether the answer to an addition shows the tags. An answer
// without a list says nothing against it.
func keeps(a *connectors.Answer, tags []string) bool {
	var held struct {
		Tags []string `json:"tags"`
	}
	if len(a.Body) == 0 || json.Unmarshal(a.Body, &held) != nil || held.Tags == nil {
		return true
	}
	return !slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(held.Tags, tag) })
}
