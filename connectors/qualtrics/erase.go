package qualtrics

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
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
	ids, err := c.erasable(ctx, &who, emails)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, id := range ids {
		err := c.api.call(ctx, "delete a contact", http.MethodDelete, c.contacts(id), nil, nil)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		case err != nil:
			return nil, err
		default:
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "the directory has no such contact", Proof: "no contact found"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: "deleted contact " + strings.Join(gone, ", ")}, nil
}

// erasable lists the person's contacts, each once: the one known by id, and all
// with a user id or an address of the person.
func (c *Connector) erasable(ctx context.Context, who *connectors.Update, emails []string) ([]string, error) {
	var ids []string
	if contactForm.MatchString(who.VendorID) {
		ids = append(ids, who.VendorID)
	}
	add := func(filter, value string) error {
		all, err := c.holding(ctx, filter, value, maxSame)
		for _, held := range all {
			ids = append(ids, held.ID)
		}
		return err
	}
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceUser {
			if err := add("extRef", k.Value); err != nil {
				return nil, err
			}
		}
	}
	for _, email := range emails {
		if err := add("email", email); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
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
