package crisp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxConversationPages bounds the listing of one person's conversations.
const maxConversationPages = 100

// Erase implements connectors.Eraser: it deletes the person's conversations,
// then the profile, which they are found by.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	var held *profile
	asked := false
	for _, key := range []string{who.VendorID, strings.TrimSpace(who.Email)} {
		if key == "" || key == who.VendorID && !idForm.MatchString(key) {
			continue
		}
		asked = true
		found, err := c.profile(ctx, key)
		if err == nil {
			held = found
			break
		}
		if !hasReason(err, connectors.ReasonNotFound) {
			return nil, err
		}
	}
	switch {
	case !asked:
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Crisp knows people by their profile's id or e-mail address only"}, nil
	case held == nil:
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Crisp holds no such profile"}, nil
	}
	conversations, err := c.conversations(ctx, held.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range conversations {
		if _, err := c.api.call(ctx, "delete a conversation", http.MethodDelete, "/conversation/"+url.PathEscape(id), nil); err != nil && !hasReason(err, connectors.ReasonNotFound) {
			return nil, err
		}
	}
	if _, err := c.api.call(ctx, "delete a profile", http.MethodDelete, profilePath(held.ID), nil); err != nil && !hasReason(err, connectors.ReasonNotFound) {
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: fmt.Sprintf("Crisp deleted profile %s and %d conversations", held.ID, len(conversations))}, nil
}

// conversations lists a person's conversations: texts, or objects with the id.
func (c *Connector) conversations(ctx context.Context, id string) ([]string, error) {
	var ids []string
	for page := range maxConversationPages {
		var some []json.RawMessage
		_, err := c.api.get(ctx, "list a person's conversations", "/people/conversations/"+url.PathEscape(id)+"/list/"+strconv.Itoa(page+1), &some)
		if hasReason(err, connectors.ReasonNotFound) {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return ids, nil
		}
		for _, raw := range some {
			var one text
			var object struct {
				Session text `json:"session_id"`
			}
			if json.Unmarshal(raw, &one) != nil || one == "" {
				_ = json.Unmarshal(raw, &object)
				one = object.Session
			}
			if !sessionForm(string(one)) {
				return nil, badAnswer("crisp: list a person's conversations")
			}
			ids = append(ids, string(one))
		}
	}
	return nil, &connectors.PushError{Act: "crisp: list a person's conversations", Reason: connectors.ReasonTooLarge, Message: "the person has more conversations than are deleted at once"}
}
