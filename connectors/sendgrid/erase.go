package sendgrid

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: the contact is deleted, and the address
// goes to the job that erases message data, which the contact does not cover
// (https://www.twilio.com/docs/sendgrid/api-reference/recipients-data-erasure).
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	email := strings.ToLower(strings.TrimSpace(who.Email))
	if email == "" && !idForm.MatchString(who.VendorID) {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "SendGrid finds people by e-mail address, and none is known"}, nil
	}
	var ids []string
	emails := []string{}
	if email != "" {
		emails = append(emails, email)
	}
	// The contact of the id and that of the address may be two.
	for _, w := range []wanted{{id: who.VendorID}, {email: email}} {
		found, err := c.find(ctx, []wanted{w})
		if err != nil {
			return nil, err
		}
		if one := found[0]; one != nil {
			ids = append(ids, one.ID)
			if one.Email != "" {
				emails = append(emails, strings.ToLower(one.Email))
			}
		}
	}
	ids, emails = unique(ids), unique(emails)
	proof := "no contact was there"
	if len(ids) > 0 {
		var answer struct {
			JobID any `json:"job_id"`
		}
		if err := c.api.call(ctx, "delete a contact", http.MethodDelete, "/v3/marketing/contacts?ids="+url.QueryEscape(strings.Join(ids, ",")), nil, &answer); err != nil {
			return nil, err
		}
		proof = fmt.Sprintf("deletion of %d contacts taken as job %s", len(ids), textOf(answer.JobID))
	}
	if len(emails) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Proof: proof}, nil
	}
	if err := c.api.call(ctx, "erase message data", http.MethodPost, "/v3/recipients/erasejob", map[string][]string{"email_addresses": slices.Clone(emails)}, nil); err != nil {
		return nil, err
	}
	return &connectors.Erased{
		Outcome: connectors.Submitted,
		Proof:   fmt.Sprintf("%s; erasure of the message data of %d addresses taken", proof, len(emails)),
	}, nil
}
