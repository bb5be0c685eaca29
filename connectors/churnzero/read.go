package churnzero

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// record is a contact of the REST API. The names of custom attributes are the
// tenant's own.
type record map[string]any

// id gives the contact's id in our form; empty where one half is missing.
func (r record) id() string {
	account, _ := r["Account"].(map[string]any)
	id := contactID{account: textOf(account["ExternalId"]), contact: textOf(r["ExternalId"])}
	if _, ok := splitID(id.String()); !ok {
		return ""
	}
	return id.String()
}

func (r record) email() string { return strings.ToLower(strings.TrimSpace(textOf(r["Email"]))) }

// collection is a page of the REST API, which holds a hundred records.
type collection struct {
	Value *[]record `json:"value"`
	Next  string    `json:"@odata.nextLink"`
}

// contacts reads one page of contacts, each with its account; more says that
// another follows.
func (c *Connector) contacts(ctx context.Context, act string, skip int, query url.Values) (page []record, more bool, err error) {
	query.Set("$expand", "Account")
	query.Set("$orderby", "Id")
	query.Set("$skip", strconv.Itoa(skip))
	var answer collection
	if err := c.rest.call(ctx, act, http.MethodGet, "/Contact?"+query.Encode(), nil, &answer); err != nil {
		return nil, false, err
	}
	if answer.Value == nil {
		return nil, false, &connectors.PushError{Act: "churnzero: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer is not a collection"}
	}
	return *answer.Value, answer.Next != "" && len(*answer.Value) > 0, nil
}

// Check implements connectors.Checker. Nothing tells whether the application
// key is right: the HTTP API answers everything alike.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "test the connection"
	var said []string
	if c.rest.base != "" {
		var accounts struct {
			Value *[]json.RawMessage `json:"value"`
		}
		if err := c.rest.call(ctx, act, http.MethodGet, "/Account?%24top=1", nil, &accounts); err != nil {
			return "", err
		}
		if accounts.Value == nil {
			return "", &connectors.PushError{Act: "churnzero: " + act, Reason: connectors.ReasonBadAnswer, Message: "the REST address answers with something else than accounts"}
		}
		said = append(said, "The REST API takes the user and its key.")
	}
	if c.api.base != "" {
		// No action, so nothing happens at ChurnZero.
		if err := c.api.call(ctx, act, http.MethodPost, "", []any{}, nil); err != nil {
			return "", err
		}
		said = append(said, "The HTTP API answers; whether the application key is right it never says: push one person and look at the contact.")
	}
	if len(said) == 0 {
		return "", settingError(act, "neither base_url nor rest_url is set; receiving plays does without")
	}
	return strings.Join(said, " "), nil
}

// List implements connectors.Lister, a hundred contacts a page.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	skip := 0
	if cursor != "" {
		var err error
		if skip, err = strconv.Atoi(cursor); err != nil || skip < 0 {
			return nil, &connectors.PushError{Act: "churnzero: list contacts", Reason: connectors.ReasonInvalid, Message: "the cursor is not one of ours"}
		}
	}
	page, more, err := c.contacts(ctx, "list contacts", skip, url.Values{})
	if err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for _, r := range page {
		listed.People = append(listed.People, connectors.Listing{VendorID: r.id(), Email: r.email(), State: c.state(r, c.held(r))})
	}
	if more {
		listed.Cursor = strconv.Itoa(skip + len(page))
	}
	return listed, nil
}

// Bounds of a reading: how many addresses one filter names, and how many pages
// of a hundred contacts their answer may have.
const (
	maxFilter = 20
	maxPages  = 10
)

// Read implements connectors.Reader. Contacts are looked for by address, since
// lists cannot be filtered by external ids. Where several have the address and
// none of them is known to be the person, the person counts as not there.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if c.stageProperty == "" {
		return nil, settingError("read contacts", "stage_property is not set, so the stage cannot be found in what the REST API gives")
	}
	var emails []string
	for _, u := range people {
		if u.Email != "" {
			emails = append(emails, strings.ToLower(u.Email))
		}
	}
	slices.Sort(emails)
	found := map[string][]record{}
	for some := range slices.Chunk(slices.Compact(emails), maxFilter) {
		if err := c.search(ctx, some, found); err != nil {
			return nil, err
		}
	}
	states := make([]*connectors.State, len(people))
	for i, u := range people {
		records := found[strings.ToLower(u.Email)]
		at := slices.IndexFunc(records, func(r record) bool { return u.VendorID != "" && r.id() == u.VendorID })
		if at < 0 && u.VendorID == "" && len(records) == 1 {
			at = 0
		}
		if at < 0 {
			continue
		}
		names := slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent)))
		state := c.state(records[at], slices.Compact(names))
		states[i] = &state
	}
	return states, nil
}

// search finds the contacts with any of the addresses.
func (c *Connector) search(ctx context.Context, emails []string, found map[string][]record) error {
	conditions := make([]string, len(emails))
	for i, email := range emails {
		conditions[i] = "Email eq '" + strings.ReplaceAll(email, "'", "''") + "'"
	}
	filter := strings.Join(conditions, " or ")
	for skip, pages := 0, 0; pages < maxPages; pages++ {
		page, more, err := c.contacts(ctx, "read contacts", skip, url.Values{"$filter": {filter}})
		if err != nil {
			return err
		}
		for _, r := range page {
			found[r.email()] = append(found[r.email()], r)
		}
		if !more {
			return nil
		}
		skip += len(page)
	}
	return nil
}

// held names the segments that a record has, sorted.
func (c *Connector) held(r record) []string {
	names := splitList(r[c.segmentsProp])
	slices.Sort(names)
	return slices.Compact(names)
}

// state puts a record into our words. segments are the names to look for.
func (c *Connector) state(r record, segments []string) connectors.State {
	var s connectors.State
	if c.stageProperty != "" {
		s.Stage = textOf(r[c.stageProperty])
	}
	if c.segmentsProp == "" {
		return s
	}
	held := splitList(r[c.segmentsProp])
	for _, name := range segments {
		if slices.Contains(held, name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	return s
}

// splitList reads a multi-select value: a list, or names between commas.
func splitList(v any) []string {
	var names []string
	for name := range strings.SplitSeq(textOf(v), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
