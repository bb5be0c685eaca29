package qualtrics

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser. By default it deletes the person's
// contacts in the directory. By setting it files the vendor's own request
// instead, which also erases responses, tickets and even a user of Qualtrics
// with the same address, and so is not done unasked.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	var emails []string
	for _, k := range who.Keys {
		if k.Namespace == "email" {
			emails = append(emails, normalEmail(k.Value))
		}
	}
	if email := normalEmail(who.Email); email != "" {
		emails = append(emails, email)
	}
	slices.Sort(emails)
	emails = slices.Compact(emails)
	if c.eraseAll {
		return c.eraseEverywhere(ctx, emails)
	}
	// Whoever has several contacts is found until nobody is left.
	task := c.newTask(&who)
	gone := map[string]bool{}
	for _, email := range append([]string{task.email}, emails...) {
		task.email = email
		for range maxPages {
			held, err := c.find(ctx, task)
			if err != nil {
				return nil, err
			}
			if held == nil || gone[held.ID] {
				break
			}
			err = c.api.call(ctx, "delete a contact", http.MethodDelete, c.contacts(held.ID), nil, nil)
			if err != nil && !hasReason(err, connectors.ReasonNotFound) {
				return nil, err
			}
			gone[held.ID] = true
		}
	}
	if len(gone) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "the directory has no such contact", Proof: "no contact found"}, nil
	}
	var ids []string
	for id := range gone {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return &connectors.Erased{Outcome: connectors.OK, Proof: "deleted contact " + strings.Join(ids, ", ")}, nil
}

// eraseEverywhere files the request for erasure. Its form is that of the API's
// page "Erase Personal Data".
func (c *Connector) eraseEverywhere(ctx context.Context, emails []string) (*connectors.Erased, error) {
	if len(emails) == 0 {
		return &connectors.Erased{Outcome: connectors.Permanent, Reason: connectors.ReasonNoIdentity, Message: "Qualtrics erases by e-mail address, and none is known"}, nil
	}
	var filed struct {
		ID string `json:"requestId"`
	}
	body := map[string]any{"emails": emails, "searchOnly": false}
	if err := c.api.call(ctx, "request an erasure", http.MethodPost, "/op-erase-personal-data", body, &filed); err != nil {
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.Submitted, Message: "Qualtrics took the request for erasure", Proof: "erasure request " + filed.ID}, nil
}
