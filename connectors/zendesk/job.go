package zendesk

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// jobPause is how long a job is given before it is asked about again.
const jobPause = 5 * time.Second

// settleJob asks once after the job of this push, which has had the time of
// the tags to run; one that is not done yet is followed later.
func (p *push) settleJob(ctx context.Context) {
	var tasks []*task
	for _, t := range p.Open() {
		if t.job != "" {
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		return
	}
	// An error leaves the job to be followed: it was taken.
	results, ended, err := p.c.job(ctx, tasks[0].job)
	if err != nil || !ended {
		return
	}
	for _, t := range tasks {
		t.job = ""
		t.End(results.of(t.id))
	}
}

// Poll implements connectors.JobPoller. A job that Zendesk knows no more (it
// keeps one for a day) leaves everybody to be sent again.
func (c *Connector) Poll(ctx context.Context, id string, people []connectors.Update) ([]connectors.Result, error) {
	results, ended, err := c.job(ctx, id)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		results = jobResults{unknown: "Zendesk does not know the job any more"}
	case err != nil:
		return nil, err
	case !ended:
		return nil, nil
	}
	all := make([]connectors.Result, len(people))
	for i := range people {
		all[i] = results.of(people[i].VendorID)
	}
	return all, nil
}

// jobResults are the results of a job that has ended, by user id.
type jobResults struct {
	byID map[string]jobResult
	// unknown says why a user without a result has none.
	unknown string
}

// job asks after a job; ended is false while it runs.
func (c *Connector) job(ctx context.Context, id string) (results jobResults, ended bool, err error) {
	var answer jobAnswer
	if err := c.api.call(ctx, "follow a job", http.MethodGet, "/job_statuses/"+url.PathEscape(id), nil, &answer); err != nil {
		return jobResults{}, false, err
	}
	switch answer.Job.Status {
	case "completed":
		results.unknown = "the job ended without a word about this user"
	case "failed", "killed":
		results.unknown = join("the job failed", answer.Job.Message)
	default:
		return jobResults{}, false, nil
	}
	var list []jobResult
	if bytes.HasPrefix(bytes.TrimSpace(answer.Job.Results), []byte("[")) && json.Unmarshal(answer.Job.Results, &list) == nil {
		results.byID = map[string]jobResult{}
		for _, r := range list {
			results.byID[r.ID.String()] = r
		}
	}
	return results, true, nil
}

// of is the outcome for one user. A user without a result may hold the new
// state or not, so everything is sent again.
func (j jobResults) of(id string) connectors.Result {
	r, told := j.byID[id]
	words := connectors.Words(join(r.Error, r.Details))
	switch {
	case !told:
		return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: connectors.Words(j.unknown), VendorID: id}
	case r.Success == nil && r.Error == "", r.Success != nil && *r.Success:
		return connectors.Result{Outcome: connectors.OK, VendorID: id}
	case strings.Contains(r.Error, "NotFound"):
		// Gone since it was read. Everything is to be sent again, to whoever has the
		// address by now; a reason of the server's asks for that.
		return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: words, VendorID: id}
	}
	if words == "" {
		words = "Zendesk refused without a word"
	}
	return connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: words, VendorID: id}
}
