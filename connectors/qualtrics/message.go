package qualtrics

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// completedLayout is how CompletedDate is written; it names no zone.
const completedLayout = "2006-01-02 15:04:05"

// workflowForm is what a workflow may call its event.
var workflowForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,60}$`)

// message is what MSG holds.
type message struct {
	Status      string `json:"Status"`
	SurveyID    string `json:"SurveyID"`
	ResponseID  string `json:"ResponseID"`
	RecipientID string `json:"RecipientID"`
	Channel     string `json:"DistributionChannel"`
	Completed   string `json:"CompletedDate"`
	IsTest      flag   `json:"IsTest"`
	IsPreview   flag   `json:"IsPreview"`
}

// flag is "1", 1 or true.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.Trim(string(b), `"`) {
	case "1", "true":
		*f = true
	default:
		*f = false
	}
	return nil
}

// readMessage reads MSG; the error says nothing of its content.
func readMessage(body []byte) (message, string) {
	var m message
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return m, "the message is empty"
	case !utf8.Valid(body):
		return m, "the message is not UTF-8"
	}
	if json.Unmarshal(body, &m) != nil {
		return message{}, "the message is not a JSON object with the members of a notification"
	}
	return m, ""
}

// event makes the raw event of a subscription's delivery. Its body is the
// message that was proved; the topic is not, and only tells the type.
func (c *Connector) event(topic string, body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: typeOf(topic), Dedupe: connectors.Dedupe("bytes", string(body)), Body: body}
	m, broken := readMessage(body)
	if broken != "" {
		e.Type, e.Broken = "unknown", broken
		return e
	}
	if e.Type == "unknown" && m.Status == "Complete" && m.ResponseID != "" {
		e.Type = completed
	}
	if m.ResponseID != "" {
		e.Dedupe = connectors.Dedupe(e.Type, m.SurveyID, m.ResponseID)
	}
	// A time that cannot be read counts as none: the rest of the event is good.
	if at, err := time.ParseInLocation(completedLayout, m.Completed, c.zone); err == nil {
		e.At = lifecycle.At(at)
	}
	e.NeedsRecord = e.Type == completed && m.fetchable() && !m.rehearsal()
	return e
}

// fetchable reports whether a message names a response that can be asked for.
func (m message) fetchable() bool {
	return surveyForm.MatchString(m.SurveyID) && responseForm.MatchString(m.ResponseID)
}

// rehearsal reports whether somebody only tried the survey out.
func (m message) rehearsal() bool {
	return bool(m.IsTest) || bool(m.IsPreview) || m.Channel == "preview" || m.Channel == "test"
}

// typeOf finds the event in a delivered topic such as
// brand.surveyengine.completedResponse.SV_1a2b3c.
func typeOf(topic string) string {
	topic = "." + topic + "."
	for _, t := range topics() {
		if strings.Contains(topic, "."+t+".") {
			return t
		}
	}
	return "unknown"
}

// workflowEvent makes the raw event of what a workflow posts: the JSON that the
// guide recommends, whole with address and score.
func workflowEvent(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("bytes", string(body)), Body: body}
	var in struct {
		Event    string `json:"event"`
		Response string `json:"responseId"`
		Survey   string `json:"surveyId"`
		Recorded string `json:"recordedDate"`
	}
	switch err := json.Unmarshal(body, &in); {
	case len(bytes.TrimSpace(body)) == 0:
		e.Broken = "the body is empty"
		return e
	case !utf8.Valid(body):
		e.Broken = "the body is not UTF-8"
		return e
	case err != nil:
		e.Broken = "the body is not the JSON object that the guide shows; piped text must stand in quotes"
		return e
	case !workflowForm.MatchString(in.Event):
		e.Broken = "the body has no event"
		return e
	}
	e.Type = "workflow." + in.Event
	if in.Response != "" {
		e.Dedupe = connectors.Dedupe(e.Type, in.Survey, in.Response)
	}
	if at, err := time.Parse(time.RFC3339, in.Recorded); err == nil {
		e.At = lifecycle.At(at)
	}
	return e
}
