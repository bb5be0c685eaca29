package salesforcemarketingcloud

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Erase implements connectors.Eraser: Marketing Cloud's contact delete, which
// removes the contact and, later, its rows in sendable data extensions. The body
// of the call and its answer are from general knowledge of the API; an answer
// that does not say that the operation was begun is told as unconfirmed.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	keys, err := c.contactKeys(ctx, &who)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 && !c.find {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "no contact key is known, and find_contacts is off"}, nil
	}
	if len(keys) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "there is no such contact"}, nil
	}
	var answer struct {
		Begun   bool     `json:"operationInitiated"`
		ID      jsonText `json:"operationID"`
		Request string   `json:"requestServiceMessageID"`
		Status  string   `json:"operationStatus"`
		Errors  bool     `json:"hasErrors"`
	}
	in := map[string]any{"values": keys, "DeleteOperationType": "ContactAndAttributes"}
	if err := c.api.call(ctx, "delete contacts", http.MethodPost, "/contacts/v1/contacts/actions/delete?type=keys", in, &answer); err != nil {
		return nil, err
	}
	done := &connectors.Erased{Outcome: connectors.Submitted, Message: fmt.Sprintf("the deletion of %d contacts was begun", len(keys))}
	done.Proof = strings.TrimSpace(string(answer.ID) + " " + answer.Request)
	if answer.Errors || strings.EqualFold(answer.Status, "fail") {
		done.Outcome, done.Reason, done.Message = connectors.Permanent, connectors.ReasonInvalid, "Marketing Cloud refused the deletion"
	} else if !answer.Begun {
		done.Outcome, done.Message = connectors.Unconfirmed, "Marketing Cloud took the request and does not say that the deletion was begun"
	}
	return done, nil
}

// jsonText is a JSON string or number as text.
type jsonText string

// UnmarshalJSON implements encoding/json.Unmarshaler.
func (t *jsonText) UnmarshalJSON(b []byte) error {
	*t = jsonText(strings.Trim(string(b), `"`))
	return nil
}

// contactKeys lists the keys that a person has: the one known, those found by
// address, and the one that a push would have made.
func (c *Connector) contactKeys(ctx context.Context, who *connectors.Update) ([]string, error) {
	emails := []string{normalEmail(who.Email)}
	for _, k := range who.Keys {
		if k.Namespace == "email" {
			emails = append(emails, normalEmail(k.Value))
		}
	}
	slices.Sort(emails)
	emails = slices.DeleteFunc(slices.Compact(emails), func(s string) bool { return s == "" })
	keys := []string{who.VendorID}
	if c.find {
		found, err := c.keysOf(ctx, emails)
		if err != nil {
			return nil, err
		}
		for _, email := range emails {
			keys = append(keys, found[email]...)
		}
	}
	if c.cfg.Push.Create || !c.find {
		keys = append(keys, c.ownKey(who))
	}
	slices.Sort(keys)
	return slices.DeleteFunc(slices.Compact(keys), func(s string) bool { return s == "" }), nil
}
