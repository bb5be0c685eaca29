package demandbase

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
)

var jobForm = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// Poll implements connectors.JobPoller. An import that is completed does not
// prove that its rows found anybody, and the API tells of no row: so nobody
// ends better than unconfirmed.
func (c *Connector) Poll(ctx context.Context, job string, people []connectors.Update) ([]connectors.Result, error) {
	const act = "follow an import"
	if !jobForm.MatchString(job) {
		return slices.Repeat([]connectors.Result{{Outcome: connectors.Retry, Reason: connectors.ReasonNotFound, Message: "the job is not one of Demandbase's"}}, len(people)), nil
	}
	var got importJob
	err := c.call(ctx, connectors.Call{Act: act, Method: http.MethodGet, URL: importPath + "/job/" + job}, &got)
	if err != nil {
		e := failure(err)
		if e.Reason != connectors.ReasonNotFound {
			return nil, e
		}
		return slices.Repeat([]connectors.Result{{Outcome: connectors.Retry, Reason: e.Reason, Message: "Demandbase knows the import no longer"}}, len(people)), nil
	}
	switch got.State {
	case "new", "processing":
		return nil, nil
	case "completed":
		return slices.Repeat([]connectors.Result{{Outcome: connectors.Unconfirmed, Message: "the import is completed; Demandbase tells of no row, so see its import history"}}, len(people)), nil
	case "failed":
		return slices.Repeat([]connectors.Result{{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: "the import failed; Demandbase's import history says why"}}, len(people)), nil
	}
	return nil, badAnswer(act, fmt.Sprintf("the import is in the state %q", connectors.Words(got.State)))
}

// Check implements connectors.Checker: it lists one import.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var got struct {
		Total *int64 `json:"totalCount"`
	}
	if err := c.call(ctx, connectors.Call{Act: "test the connection", Method: http.MethodGet, URL: importPath + "/jobs?perPage=1"}, &got); err != nil {
		return "", err
	}
	if got.Total == nil {
		return "Demandbase answers, and imports may be made", nil
	}
	return fmt.Sprintf("Demandbase answers, and imports may be made; there have been %d", *got.Total), nil
}
