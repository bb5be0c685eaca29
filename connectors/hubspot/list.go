package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/stagebridge/stagebridge/connectors"
)

// listPage is the most contacts that one page gives (developers.hubspot.com,
// "CRM API | Contacts", read 2026-11).
const listPage = 100

// List implements connectors.Lister over all contacts that are not archived.
// Segments are told where they are kept in the property; lists would cost a
// call for each contact, which Read is for.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	q := url.Values{"limit": {strconv.Itoa(listPage)}, "archived": {"false"}}
	q.Add("properties", "email")
	q.Add("properties", c.stageProperty)
	if c.segmentsAs == segmentsAsProperty {
		q.Add("properties", ownSegmentsProperty)
	}
	if cursor != "" {
		q.Set("after", cursor)
	}
	var page struct {
		Results []object `json:"results"`
		Paging  struct {
			Next struct {
				After string `json:"after"`
			} `json:"next"`
		} `json:"paging"`
	}
	if _, err := c.call(ctx, "list contacts", http.MethodGet, "/crm/v3/objects/contacts?"+q.Encode(), nil, &page); err != nil {
		return nil, err
	}
	labels, err := c.segmentLabels(ctx)
	if err != nil {
		return nil, err
	}
	listed := &connectors.Listed{Cursor: page.Paging.Next.After}
	for i := range page.Results {
		o := &page.Results[i]
		one := connectors.Listing{VendorID: o.ID, Email: o.property("email"), State: connectors.State{Stage: o.property(c.stageProperty)}}
		for _, value := range checkboxValues(o.property(ownSegmentsProperty)) {
			one.State.Segments = append(one.State.Segments, labelOf(labels, value))
		}
		one.State.Segments = distinct(one.State.Segments)
		listed.People = append(listed.People, one)
	}
	return listed, nil
}

// segmentLabels gives the options of the segments property, whose labels are
// our names; none where segments are kept in lists or were never pushed.
func (c *Connector) segmentLabels(ctx context.Context) ([]option, error) {
	if c.segmentsAs != segmentsAsProperty {
		return nil, nil
	}
	var p property
	_, err := c.call(ctx, "read the property "+ownSegmentsProperty, http.MethodGet, propertiesPath+"/"+ownSegmentsProperty, nil, &p)
	if reason(err) == connectors.ReasonNotFound {
		return nil, nil
	}
	return p.Options, err
}

func labelOf(options []option, value string) string {
	for _, o := range options {
		if o.Value == value && o.Label != "" {
			return o.Label
		}
	}
	return value
}

// Erase implements connectors.Eraser: HubSpot deletes the contact for good and
// keeps the address on its blocklist. It takes the id, or else the address.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	body := map[string]string{"objectId": who.VendorID}
	if !digits(who.VendorID) || who.VendorID == "" {
		if who.Email == "" {
			return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity}, nil
		}
		body = map[string]string{"idProperty": "email", "objectId": foldEmail(who.Email)}
	}
	answer, err := c.call(ctx, "delete a contact for good", http.MethodPost, "/crm/v3/objects/contacts/gdpr-delete", body, nil)
	if reason(err) == connectors.ReasonNotFound {
		return &connectors.Erased{Outcome: connectors.OK, Proof: "HubSpot has no such contact"}, nil
	}
	if err != nil {
		return nil, err
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: "HubSpot answered " + strconv.Itoa(answer.Status) + " to gdpr-delete"}, nil
}
