package surveymonkey

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Bounds of the poll that closes the gaps which lost webhooks leave: whether
// and how often SurveyMonkey repeats a delivery is not documented.
const (
	pollInterval = 24 * time.Hour
	// pollOverlap is how far a poll reaches back behind the one before it.
	pollOverlap = time.Hour
	// pollPage is the most responses of a page of /responses/bulk.
	pollPage = 100
	// surveyPage and maxSurveys bound the listing of an account's surveys.
	surveyPage = 1000
	maxSurveys = 5000
	// pollFormat is how a time is written in a query; without a zone it is UTC.
	pollFormat = "2006-01-02T15:04:05"
)

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return pollInterval }

// position is the cursor of the poll: a round goes over the surveys one by one,
// from Since to Until.
type position struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"`
	Surveys []string  `json:"surveys,omitempty"`
	Page    int       `json:"page,omitempty"`
}

// Fetch implements connectors.Poller: one page of one survey's completed
// responses a call. What a webhook has brought before has the same dedupe key,
// and so costs no second reading of the answers.
func (c *Connector) Fetch(ctx context.Context, cursor string) (*connectors.Fetched, error) {
	now := c.cfg.Now().UTC().Truncate(time.Second)
	var at position
	if cursor == "" {
		return page(nil, position{Since: now.Add(-pollOverlap)}, false)
	}
	if err := json.Unmarshal([]byte(cursor), &at); err != nil {
		return nil, &connectors.PushError{Act: "surveymonkey: poll", Reason: connectors.ReasonInvalid, Message: "the stored position cannot be read", Err: err}
	}
	if at.Until.IsZero() {
		surveys, err := c.surveyIDs(ctx)
		if err != nil {
			return nil, err
		}
		at.Until, at.Surveys, at.Page = now, surveys, 1
	}
	if len(at.Surveys) == 0 {
		return page(nil, position{Since: at.Until.Add(-pollOverlap)}, false)
	}
	events, more, err := c.responses(ctx, at)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		// The survey was deleted meanwhile.
	case err != nil:
		return nil, err
	case more:
		at.Page++
		return page(events, at, true)
	}
	at.Surveys, at.Page = at.Surveys[1:], 1
	if len(at.Surveys) == 0 {
		return page(events, position{Since: at.Until.Add(-pollOverlap)}, false)
	}
	return page(events, at, true)
}

func page(events []connectors.RawEvent, at position, more bool) (*connectors.Fetched, error) {
	cursor, err := json.Marshal(at)
	if err != nil {
		return nil, &connectors.PushError{Act: "surveymonkey: poll", Reason: connectors.ReasonInvalid, Err: err}
	}
	return &connectors.Fetched{Events: events, Cursor: string(cursor), More: more}, nil
}

// responses reads one page and writes each response as the webhook would have
// told of it.
func (c *Connector) responses(ctx context.Context, at position) (events []connectors.RawEvent, more bool, err error) {
	survey := at.Surveys[0]
	var answer struct {
		Data  []response `json:"data"`
		Links struct {
			Next string `json:"next"`
		} `json:"links"`
	}
	query := url.Values{
		"start_modified_at": {at.Since.Format(pollFormat)}, "status": {"completed"},
		"per_page": {fmt.Sprint(pollPage)}, "page": {fmt.Sprint(max(at.Page, 1))},
	}
	err = c.api.call(ctx, "list responses", http.MethodGet, "/surveys/"+survey+"/responses/bulk?"+query.Encode(), nil, &answer)
	if err != nil {
		return nil, false, err
	}
	for _, r := range answer.Data {
		if r.ID == "" {
			continue
		}
		body, err := json.Marshal(notice{
			EventType: completed, At: r.Modified, ObjectType: "response", ObjectID: r.ID,
			Resources: resources{RecipientID: r.RecipientID, CollectorID: r.CollectorID, SurveyID: text(survey)},
		})
		if err != nil {
			return nil, false, &connectors.PushError{Act: "surveymonkey: list responses", Reason: connectors.ReasonBadAnswer, Err: err}
		}
		e := event(body)
		if t, err := time.Parse(time.RFC3339, r.Modified); err == nil {
			e.At = lifecycle.At(t)
		}
		events = append(events, e)
	}
	return events, answer.Links.Next != "" && len(answer.Data) > 0, nil
}

// surveyIDs gives the surveys of the setting, else all of the account.
func (c *Connector) surveyIDs(ctx context.Context) ([]string, error) {
	if c.surveys != nil {
		return c.surveys, nil
	}
	var ids []string
	for n := 1; n <= maxSurveys/surveyPage; n++ {
		var answer struct {
			Data []struct {
				ID text `json:"id"`
			} `json:"data"`
		}
		path := fmt.Sprintf("/surveys?per_page=%d&page=%d", surveyPage, n)
		if err := c.api.call(ctx, "list surveys", http.MethodGet, path, nil, &answer); err != nil {
			return nil, err
		}
		for _, s := range answer.Data {
			if numberForm.MatchString(string(s.ID)) {
				ids = append(ids, string(s.ID))
			}
		}
		if len(answer.Data) < surveyPage {
			break
		}
	}
	return ids, nil
}
