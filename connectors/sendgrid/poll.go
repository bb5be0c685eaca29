package sendgrid

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
)

// Poll implements connectors.JobPoller. A job that ended without errors brought
// everybody. Where some were refused, SendGrid names them only in a file whose
// form it does not document, so the contacts are read back instead.
func (c *Connector) Poll(ctx context.Context, job string, people []connectors.Update) ([]connectors.Result, error) {
	var s importStatus
	err := c.api.call(ctx, "follow a job", http.MethodGet, "/v3/marketing/contacts/imports/"+url.PathEscape(job), nil, &s)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		// SendGrid forgets old jobs; what became of this one can still be read.
		return c.compare(ctx, people, "SendGrid knows the job no more")
	case err != nil:
		return nil, err
	}
	switch s.Status {
	case "completed":
		if s.Results.Errored == 0 {
			return slices.Repeat([]connectors.Result{{Outcome: connectors.OK}}, len(people)), nil
		}
	case "errored":
	case "failed":
		return slices.Repeat([]connectors.Result{{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: "SendGrid gave the job up"}}, len(people)), nil
	case "pending":
		return nil, nil
	default:
		return nil, &connectors.PushError{Act: "sendgrid: follow a job", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the job is in the unknown state " + short(s.Status)}
	}
	return c.compare(ctx, people, fmt.Sprintf("SendGrid could not apply %d of the job's %d contacts", s.Results.Errored, s.Results.Requested))
}

// compare reads the people back and holds them against what they should be.
func (c *Connector) compare(ctx context.Context, people []connectors.Update, why string) ([]connectors.Result, error) {
	states, err := c.Read(ctx, people)
	if err != nil {
		return nil, err
	}
	results := make([]connectors.Result, len(people))
	for i, state := range states {
		switch {
		case state == nil:
			results[i] = connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: why + "; there is no such contact"}
		case reached(people[i].Want, *state):
			results[i] = connectors.Result{Outcome: connectors.OK}
		default:
			// Refused, or wanted otherwise since: sending everything anew tells.
			results[i] = connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonBadAnswer, Message: why + "; this contact holds another state"}
		}
	}
	return results, nil
}

// reached reports whether stage and segments are as wanted. Traits are left
// out: SendGrid gives some of them back in another spelling.
func reached(want, held connectors.State) bool {
	return (want.Stage == "" || want.Stage == held.Stage) && slices.Equal(slices.Sorted(slices.Values(want.Segments)), slices.Sorted(slices.Values(held.Segments)))
}
