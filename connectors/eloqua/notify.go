package eloqua

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// typeRelease is the raw event that lets contacts go on from a step.
const typeRelease = "release"

var (
	wordForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,59}$`)
	idForm       = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
	instanceForm = regexp.MustCompile(`^[0-9a-fA-F-]{32,36}$`)
)

// step is where contacts wait, as the notification's address tells it.
type step struct {
	Instance  string `json:"instance"`
	Execution string `json:"execution"`
	Asset     string `json:"asset,omitempty"`
	AssetName string `json:"asset_name,omitempty"`
	Stage     string `json:"stage,omitempty"`
}

// told is one contact that reached a step: what Eloqua sent of it, untouched,
// and the step.
type told struct {
	step
	Contact json.RawMessage `json:"contact"`
}

// release is the body of the event that lets contacts go on.
type release struct {
	step
	Contacts []string `json:"contacts"`
}

// notify splits a notification into one event for each contact, and one that
// releases them all: a contact waits in the step until that is done. Eloqua
// hears 204, which says that it will be.
func (c *Connector) notify(r *connectors.Request) *connectors.Receipt {
	receipt := &connectors.Receipt{Reply: connectors.Reply{Status: http.StatusNoContent}}
	query, _ := url.ParseQuery(r.Query)
	at := step{
		Instance: query.Get("instance"), Execution: query.Get("execution"),
		Asset: query.Get("asset"), AssetName: query.Get("assetname"), Stage: query.Get("stage"),
	}
	kind := "action." + tells(query.Get("tell"))
	var body struct {
		Items []json.RawMessage `json:"items"`
	}
	if len(bytes.TrimSpace(r.Body)) == 0 && r.Method == http.MethodGet {
		return receipt
	}
	if !utf8.Valid(r.Body) || json.Unmarshal(r.Body, &body) != nil {
		receipt.Events = []connectors.RawEvent{{
			Type: kind, Body: r.Body, Dedupe: connectors.Dedupe("notify", at.Instance, at.Execution, string(r.Body)),
			Broken: "the notification is not the JSON expected",
		}}
		return receipt
	}
	free := release{step: step{Instance: at.Instance, Execution: at.Execution}}
	for _, item := range body.Items {
		event, contact := at.told(kind, item)
		receipt.Events = append(receipt.Events, event)
		if contact != "" && !slices.Contains(free.Contacts, contact) {
			free.Contacts = append(free.Contacts, contact)
		}
	}
	if len(free.Contacts) == 0 {
		return receipt // the state of the step changed
	}
	text, err := json.Marshal(free)
	event := connectors.RawEvent{
		Type: typeRelease, Body: text, NeedsRecord: true,
		Dedupe: connectors.Dedupe("release", at.Instance, at.Execution, strings.Join(free.Contacts, ",")),
	}
	if err != nil || !instanceForm.MatchString(at.Instance) || !idForm.MatchString(at.Execution) {
		event.NeedsRecord = false
		event.Broken = "the notification's address does not give instance={InstanceId} and execution={ExecutionId}; the contacts wait in the step"
	}
	receipt.Events = append(receipt.Events, event)
	return receipt
}

// tells reads what a step is about out of its address.
func tells(word string) string {
	if wordForm.MatchString(word) {
		return word
	}
	return "reached"
}

// told makes the event of one contact, and gives its number.
func (at step) told(kind string, item json.RawMessage) (connectors.RawEvent, string) {
	var contact struct {
		ID json.Number `json:"ContactID"`
	}
	event := connectors.RawEvent{Type: kind, Body: item}
	id := ""
	if json.Unmarshal(item, &contact) == nil && idForm.MatchString(contact.ID.String()) {
		id = contact.ID.String()
	}
	event.Dedupe = connectors.Dedupe("contact", kind, at.Instance, at.Execution, cmp.Or(id, string(item)))
	if id == "" {
		event.Broken = "an item of the notification has no ContactID"
		return event, ""
	}
	text, err := json.Marshal(told{step: at, Contact: item})
	if err != nil {
		event.Broken = "an item of the notification cannot be kept"
		return event, id
	}
	event.Body = text
	return event, id
}
