package surveymonkey

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// follow writes by id to those whose address may have changed since: a bulk
// write knows people by address only and would make a second contact.
func (p *push) follow(ctx context.Context) error {
	for _, t := range p.open(func(t *task) bool { return t.byID }) {
		var held contact
		err := p.c.api.call(ctx, "read a contact", http.MethodGet, "/contacts/"+string(t.id), nil, &held)
		if err == nil {
			patch := contactPatch{FirstName: t.first, LastName: t.last, Custom: merged(held.Custom, t.custom)}
			if t.email != "" && t.email != normalEmail(held.Email) {
				patch.Email = t.email
			}
			var now contact
			err = p.c.api.call(ctx, "update a contact", http.MethodPatch, "/contacts/"+string(t.id), patch, &now)
			if err == nil {
				p.settle(t, now)
				continue
			}
		}
		e := connectors.AsPushError(err)
		switch {
		case (e.Reason == connectors.ReasonNotFound || e.Reason == connectors.ReasonConflict) && t.email != "":
			if err := p.anew(ctx, t); err != nil {
				return err
			}
		case e.Reason == connectors.ReasonNotFound:
			t.end(notThere())
		case concernsAll(e):
			return e
		default:
			t.end(e.Result())
		}
	}
	return nil
}

// anew is for a contact that is gone, or whose new address has a contact of
// its own: the one of that address is written, wholly, since nothing is known
// of it.
func (p *push) anew(ctx context.Context, t *task) error {
	held, err := p.c.findContact(ctx, "", t.email)
	if err != nil {
		return err
	}
	t.id, t.byID, t.held = "", false, held
	t.need(p.c, nil)
	switch {
	case held != nil:
		t.id = held.ID
	case !p.c.cfg.Push.Create:
		t.end(notThere())
	}
	return nil
}

// create makes whoever is missing, where the push may, and learns how the
// others stand in the account.
func (p *push) create(ctx context.Context) error {
	tasks := p.open(func(t *task) bool { return !t.byID && t.held == nil })
	if len(tasks) == 0 || !p.c.cfg.Push.Create {
		return nil
	}
	answer, err := p.bulk(ctx, "create contacts", tasks, false)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if made, ok := find(answer.Succeeded, t.email); ok {
			p.arrived = true
			if t.u.Known == nil {
				p.settle(t, made)
				continue
			}
			// It was gone, and only what had changed was sent.
			t.need(p.c, nil)
			t.held, t.id = &made, made.ID
			continue
		}
		if _, ok := find(answer.Invalids, t.email); ok {
			t.end(invalid())
			continue
		}
		held, ok := find(answer.Existing, t.email)
		if ok && numberForm.MatchString(string(held.ID)) {
			t.id = held.ID
			if !t.repeats(held) {
				t.held = &held
				continue
			}
		}
		t.lookup = true
	}
	return nil
}

// find looks people up one by one: those of a push that may not create, and
// those whom the first call did not show as they are.
func (p *push) find(ctx context.Context) error {
	tasks := p.open(func(t *task) bool { return !t.byID && t.held == nil })
	errs := make([]error, len(tasks))
	var all sync.WaitGroup
	slots := make(chan struct{}, lookups)
	for i, t := range tasks {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.held, errs[i] = p.c.findContact(ctx, string(t.id), t.email)
		})
	}
	all.Wait()
	for i, t := range tasks {
		switch {
		case errs[i] != nil && concernsAll(connectors.AsPushError(errs[i])):
			return errs[i]
		case errs[i] != nil:
			t.end(connectors.AsPushError(errs[i]).Result())
		case t.held == nil && t.lookup:
			// Neither made nor refused nor to be found: nothing is proved.
			t.end(connectors.Result{Outcome: connectors.Unconfirmed, Message: "SurveyMonkey's answer does not name the contact"})
		case t.held == nil:
			t.end(notThere())
		case t.email != normalEmail(t.held.Email):
			// Known by its id, under an address that has changed since.
			t.id, t.byID, t.held = t.held.ID, true, nil
		default:
			t.id = t.held.ID
		}
	}
	return nil
}

// update writes to contacts that are there, with the names they have.
func (p *push) update(ctx context.Context) error {
	tasks := p.open(func(t *task) bool { return t.held != nil })
	if len(tasks) == 0 {
		return nil
	}
	answer, err := p.bulk(ctx, "update contacts", tasks, true)
	if err != nil {
		return err
	}
	named := slices.Concat(answer.Succeeded, answer.Existing)
	for _, t := range tasks {
		if _, ok := find(answer.Invalids, t.email); ok {
			t.end(invalid())
			continue
		}
		if now, ok := find(named, t.email); ok {
			p.settle(t, now)
		}
	}
	return nil
}

// bulk writes the tasks' contacts. Where SurveyMonkey refuses a whole call for
// its content, the call is halved until whoever is to blame is alone, a few
// times; the others then go through.
func (p *push) bulk(ctx context.Context, act string, tasks []*task, update bool) (bulkAnswer, error) {
	write := bulkWrite{UpdateExisting: update}
	for _, t := range tasks {
		held := contact{}
		if t.held != nil {
			held = *t.held
		}
		write.Contacts = append(write.Contacts, t.contact(held))
	}
	var answer bulkAnswer
	err := p.c.api.call(ctx, act, http.MethodPost, "/contacts/bulk", write, &answer)
	switch {
	case connectors.ReasonOf(err) != connectors.ReasonInvalid:
		return answer, err
	case len(tasks) == 1:
		tasks[0].end(connectors.AsPushError(err).Result())
		return bulkAnswer{}, nil
	case p.splits == maxSplits:
		for _, t := range tasks {
			t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: connectors.Words("SurveyMonkey refused a call for somebody in it: " + connectors.AsPushError(err).Message)})
		}
		return bulkAnswer{}, nil
	}
	p.splits++
	half := len(tasks) / 2
	front, err := p.bulk(ctx, act, tasks[:half], update)
	if err != nil {
		return front, err
	}
	back, err := p.bulk(ctx, act, tasks[half:], update)
	return bulkAnswer{
		Succeeded: slices.Concat(front.Succeeded, back.Succeeded),
		Existing:  slices.Concat(front.Existing, back.Existing),
		Invalids:  slices.Concat(front.Invalids, back.Invalids),
	}, err
}

// settle holds the contact as answered against what was sent.
func (p *push) settle(t *task, now contact) {
	p.arrived = true
	if now.ID != "" {
		t.id = now.ID
	}
	for _, field := range []string{p.c.stageField, p.c.segmentField} {
		sent, ok := t.custom[field]
		if !ok || now.Custom == nil || strings.TrimSpace(string(now.Custom[field])) == strings.TrimSpace(string(sent)) {
			continue
		}
		t.end(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
			Message: "SurveyMonkey kept another value in custom field " + field + " than the one sent",
		})
	}
	t.end(connectors.Result{Outcome: connectors.OK})
}

// find gives the entry with an address. Lists may hold empty objects.
func find(list []contact, email string) (contact, bool) {
	i := slices.IndexFunc(list, func(k contact) bool { return email != "" && normalEmail(k.Email) == email })
	if i < 0 {
		return contact{}, false
	}
	return list[i], true
}

func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the account has no such contact, and push.create is off"}
}

func invalid() connectors.Result {
	return connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "SurveyMonkey lists the contact as invalid"}
}
