package mailchimp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// listPage is how many members one page gives; the API takes up to 1,000
// (mailchimp.com/developer/marketing, "Members", read 2026-11).
const listPage = 500

// List implements connectors.Lister over the audience's members in the order in
// which they came, those who are archived left out.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	from := 0
	if cursor != "" {
		var err error
		if from, err = strconv.Atoi(cursor); err != nil || from < 0 {
			return nil, settingError("list members", "the cursor is not one of this list")
		}
	}
	q := url.Values{
		"count": {strconv.Itoa(listPage)}, "offset": {strconv.Itoa(from)}, "sort_field": {"timestamp_opt"}, "sort_dir": {"ASC"},
		"fields": {"members.id,members.email_address,members.status,members.merge_fields,members.tags_count,members.tags"},
	}
	var page struct {
		Members []member `json:"members"`
	}
	if err := c.api.call(ctx, "list members", http.MethodGet, c.api.list("members")+"?"+q.Encode(), nil, &page); err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for _, m := range page.Members {
		if m.Status == "archived" {
			continue
		}
		if m.TagsCount > len(m.Tags) {
			var err error
			if m.Tags, err = c.readTags(ctx, m.ID); err != nil {
				return nil, err
			}
		}
		listed.People = append(listed.People, connectors.Listing{VendorID: m.ID, Email: m.Email, State: connectors.State{
			Stage: connectors.ValueText(m.MergeFields[c.stageField]), Segments: c.segmentsOf(m.Tags),
		}})
	}
	if len(page.Members) == listPage {
		listed.Cursor = strconv.Itoa(from + listPage)
	}
	return listed, nil
}

// segmentsOf gives the segments whose tags a member has, sorted. Without a
// prefix nothing tells our tags from others, so none is told.
func (c *Connector) segmentsOf(tags []memberTag) []string {
	var held []string
	for _, tag := range tags {
		n := len(c.tagPrefix)
		if n > 0 && len(tag.Name) > n && strings.EqualFold(tag.Name[:n], c.tagPrefix) {
			held = append(held, tag.Name[n:])
		}
	}
	slices.Sort(held)
	return held
}

// Erase implements connectors.Eraser: the member's data is deleted for good, and
// the address can't be imported again.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	id := who.VendorID
	if !hashForm.MatchString(id) {
		email := normalEmail(who.Email)
		if email == "" {
			return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity}, nil
		}
		id = memberID(email)
	}
	err := c.api.call(ctx, "delete a member for good", http.MethodPost, c.api.list("members", id, "actions", "delete-permanent"), nil, nil)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return &connectors.Erased{Outcome: connectors.OK, Proof: "Mailchimp has no such member"}, nil
	case err != nil:
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: fmt.Sprintf("Mailchimp took delete-permanent of %s", id)}, nil
}
