package hubspot

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// readObjects reads records by id, or by another unique property, in batches.
// One that is not there is left out. Any error is a *connectors.PushError and
// nothing was read for certain.
func (c *Connector) readObjects(ctx context.Context, kind, idProperty string, ids, properties []string) ([]object, error) {
	var all []object
	for batch := range slices.Chunk(ids, crmBatch) {
		body := batchRead{Properties: properties, PropertiesWithHistory: []string{}, IDProperty: idProperty}
		for _, id := range batch {
			body.Inputs = append(body.Inputs, inputID{id})
		}
		var got batchAnswer
		_, err := c.call(ctx, "read "+plurals[kind], http.MethodPost, "/crm/v3/objects/"+plurals[kind]+"/batch/read", body, &got)
		if reason(err) == connectors.ReasonNotFound {
			continue // some editions answer 404 when not one of them is there
		}
		if err != nil {
			return nil, err
		}
		if e := c.unreadable(got.Errors); e != nil {
			return nil, e
		}
		all = append(all, got.Results...)
	}
	return all, nil
}

// unreadable finds an error in a mixed answer that is about more than a record
// that is not there.
func (c *Connector) unreadable(errs []apiError) *connectors.PushError {
	for _, e := range errs {
		if e.notFound() {
			continue
		}
		return c.partError("read records", &e)
	}
	return nil
}

// notFound reports whether a part's error says that the record does not exist.
func (e *apiError) notFound() bool {
	return strings.EqualFold(e.Category, "OBJECT_NOT_FOUND") || strings.EqualFold(e.Category, "NOT_FOUND")
}

// partError turns the error of one part of a batch into a *connectors.PushError, by
// the categories of HubSpot's error pages. One that is not known is permanent:
// the batch itself went through, so sending the same again brings the same.
func (c *Connector) partError(act string, e *apiError) *connectors.PushError {
	p := &connectors.PushError{Act: "hubspot: " + act, Message: connectors.Words(e.Message, c.hide()...), Reason: connectors.ReasonInvalid}
	switch category := strings.ToUpper(e.Category); {
	case e.notFound():
		p.Reason = connectors.ReasonNotFound
	case category == "CONFLICT" || category == "OBJECT_ALREADY_EXISTS":
		p.Reason = connectors.ReasonConflict
	case category == "MISSING_SCOPES" || category == "FORBIDDEN":
		p.Reason = connectors.ReasonForbidden
	case strings.HasPrefix(category, "RATE_LIMIT"):
		p.Reason, p.Retryable, p.RetryAfter = connectors.ReasonRateLimit, true, rollingPause
	case strings.Contains(category, "LOCK"):
		p.Reason, p.Retryable, p.RetryAfter = connectors.ReasonServer, true, lockedPause
	case strings.Contains(category, "INTERNAL") || strings.Contains(category, "TIMEOUT") || strings.Contains(category, "UNAVAILABLE"):
		p.Reason, p.Retryable = connectors.ReasonServer, true
	}
	return p
}

// readAssociations finds the contacts of objects of one kind, following pages
// up to maxContacts each.
func (c *Connector) readAssociations(ctx context.Context, f *findings, kind string, ids []string) error {
	inputs := make([]associationInput, len(ids))
	for i, id := range ids {
		inputs[i] = associationInput{ID: id}
	}
	for len(inputs) > 0 {
		batch := inputs[:min(len(inputs), crmBatch)]
		inputs = inputs[len(batch):]
		var got associationAnswer
		_, err := c.call(ctx, "read the contacts of "+plurals[kind], http.MethodPost,
			"/crm/v4/associations/"+plurals[kind]+"/contacts/batch/read", associationRead{batch}, &got)
		if err != nil && reason(err) != connectors.ReasonNotFound {
			return err
		}
		for _, r := range got.Results {
			s := subject{kind, r.From.ID}
			before := len(f.contacts[s])
			for _, to := range r.To {
				if id := string(to.ToObjectID); digits(id) && len(f.contacts[s]) < maxContacts {
					f.contacts[s] = append(f.contacts[s], id)
				}
			}
			// A page that brings nothing new ends it, whatever it says of a next one.
			grew := len(f.contacts[s]) > before
			if after := r.Paging.Next.After; after != "" && grew && len(f.contacts[s]) < maxContacts {
				inputs = append(inputs, associationInput{ID: r.From.ID, After: after})
			}
		}
	}
	return nil
}
