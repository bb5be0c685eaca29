package crisp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxConversationPages bounds the listing of one person's conversations.
const maxConversationPages = 100

// Erase implements connectors.Eraser: it deletes the person's conversations,
// then the profile, which they are found by; and so for the profile known by id
// and that of every address.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	keys := erasable(&who)
	if len(keys) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Crisp knows people by their profile's id or e-mail address only"}, nil
	}
	var proofs []string
	for _, key := range keys {
		held, err := c.profile(ctx, key)
		if connectors.ReasonOf(err) == connectors.ReasonNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		conversations, err := c.eraseProfile(ctx, held.ID)
		if err != nil {
			return nil, err
		}
		proofs = append(proofs, fmt.Sprintf("Crisp deleted profile %s and %d conversations", held.ID, conversations))
	}
	if len(proofs) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Crisp holds no such profile"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: strings.Join(proofs, "; ")}, nil
}

// erasable lists what a profile of the person may be found by, each once.
func erasable(who *connectors.Update) []string {
	var keys []string
	if idForm.MatchString(who.VendorID) {
		keys = append(keys, who.VendorID)
	}
	emails := []string{who.Email}
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceEmail {
			emails = append(emails, k.Value)
		}
	}
	for _, email := range emails {
		email = strings.TrimSpace(email)
		if email != "" && !slices.ContainsFunc(keys, func(one string) bool { return strings.EqualFold(one, email) }) {
			keys = append(keys, email)
		}
	}
	return keys
}

// eraseProfile deletes a profile with its conversations, and counts them.
func (c *Connector) eraseProfile(ctx context.Context, id string) (int, error) {
	conversations, err := c.conversations(ctx, id)
	if err != nil {
		return 0, err
	}
	for _, one := range conversations {
		if _, err := c.api.call(ctx, "delete a conversation", http.MethodDelete, "/conversation/"+url.PathEscape(one), nil); err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return 0, err
		}
	}
	if _, err := c.api.call(ctx, "delete a profile", http.MethodDelete, profilePath(id), nil); err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
		return 0, err
	}
	return len(conversations), nil
}

// conversations lists a person's conversations: texts, or objects with the id.
func (c *Connector) conversations(ctx context.Context, id string) ([]string, error) {
	var ids []string
	for page := range maxConversationPages {
		var some []json.RawMessage
		_, err := c.api.get(ctx, "list a person's conversations", "/people/conversations/"+url.PathEscape(id)+"/list/"+strconv.Itoa(page+1), &some)
		if connectors.ReasonOf(err) == connectors.ReasonNotFound {
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
