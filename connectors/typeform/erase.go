package typeform

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
)

// Bounds of a search for responses. A page and a deletion take 1,000 each
// (https://www.typeform.com/developers/responses/reference/).
const (
	responsesPerPage = 1000
	maxResponsePages = 10
	formsPerPage     = 200
	maxFormPages     = 10
)

// Erase implements connectors.Eraser: it deletes the responses that hold one of
// the person's e-mail addresses as an answer or a hidden field, on the forms that
// are named, or on all forms where none is. Typeform takes the deletion and
// carries it out later, so the outcome is Submitted.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	emails := addresses(&who)
	if len(emails) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "responses are found by e-mail address, and none is known"}, nil
	}
	forms := c.forms
	if len(forms) == 0 {
		var err error
		if forms, err = c.allForms(ctx); err != nil {
			return nil, err
		}
	}
	deleted, touched := 0, 0
	for _, id := range forms {
		tokens, err := c.responsesOf(ctx, id, emails)
		if err != nil {
			return nil, err
		}
		for part := range slices.Chunk(tokens, responsesPerPage) {
			err := c.api.call(ctx, "delete responses", http.MethodDelete, form(id, "responses"), map[string][]string{"included_response_ids": part}, nil)
			if err != nil {
				return nil, err
			}
			deleted += len(part)
		}
		touched += min(1, len(tokens))
	}
	if deleted == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: fmt.Sprintf("no response in %d forms holds an address of the person", len(forms))}, nil
	}
	words := fmt.Sprintf("%d responses in %d of %d forms were given to be deleted", deleted, touched, len(forms))
	return &connectors.Erased{Outcome: connectors.Submitted, Message: words, Proof: words}, nil
}

// addresses lists what a person is known by here, each once, in lower case.
func addresses(who *connectors.Update) []string {
	all := []string{strings.ToLower(strings.TrimSpace(who.Email))}
	for _, k := range who.Keys {
		if k.Namespace == "email" {
			all = append(all, strings.ToLower(strings.TrimSpace(k.Value)))
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}

func (c *Connector) allForms(ctx context.Context) ([]string, error) {
	var ids []string
	for page := 1; page <= maxFormPages; page++ {
		var answer struct {
			Pages int `json:"page_count"`
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		query := url.Values{"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(formsPerPage)}}
		if err := c.api.call(ctx, "list forms", http.MethodGet, "/forms?"+query.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		for _, f := range answer.Items {
			ids = append(ids, f.ID)
		}
		if page >= answer.Pages {
			return ids, nil
		}
	}
	return nil, settingError("list forms", fmt.Sprintf("the account has more than %d forms; name those that ask for people in form_ids", maxFormPages*formsPerPage))
}

// response is one response to a form, as far as it names somebody.
type response struct {
	Token   string                     `json:"token"`
	Hidden  map[string]json.RawMessage `json:"hidden"`
	Answers []struct {
		Email string `json:"email"`
	} `json:"answers"`
}

// responsesOf finds the responses of a form that hold one of the addresses.
// Typeform's search finds parts of a text; only a whole address counts. Partial
// responses are looked at too.
func (c *Connector) responsesOf(ctx context.Context, id string, emails []string) ([]string, error) {
	var tokens []string
	for _, email := range emails {
		query := url.Values{"query": {email}, "page_size": {strconv.Itoa(responsesPerPage)}, "response_type": {"started,partial,completed"}}
		for page := 1; ; page++ {
			if page > maxResponsePages {
				return nil, settingError("find responses", fmt.Sprintf("form %s has more than %d responses that fit an address; delete them by hand", id, maxResponsePages*responsesPerPage))
			}
			var answer struct {
				Items []response `json:"items"`
			}
			if err := c.api.call(ctx, "find responses", http.MethodGet, form(id, "responses")+"?"+query.Encode(), nil, &answer); err != nil {
				return nil, err
			}
			for i := range answer.Items {
				if r := &answer.Items[i]; r.Token != "" && r.holds(email) && !slices.Contains(tokens, r.Token) {
					tokens = append(tokens, r.Token)
				}
			}
			if len(answer.Items) < responsesPerPage {
				break
			}
			query.Set("before", answer.Items[len(answer.Items)-1].Token)
		}
	}
	return tokens, nil
}

// holds reports whether an answer or a hidden field is the address.
func (r *response) holds(email string) bool {
	for _, a := range r.Answers {
		if strings.EqualFold(strings.TrimSpace(a.Email), email) {
			return true
		}
	}
	for _, raw := range r.Hidden {
		var text string
		if json.Unmarshal(raw, &text) == nil && strings.EqualFold(strings.TrimSpace(text), email) {
			return true
		}
	}
	return false
}
