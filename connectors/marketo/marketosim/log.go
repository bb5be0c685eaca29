package marketosim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// started is when the instance's history begins; its clock goes on a second
// with each entry of the log.
const started = "2026-11-20T09:00:00Z"

// pageSize is how many entries one page of the log has.
const pageSize = 3

// Kinds of activities that the instance knows, by number.
var kinds = map[int64]string{
	1: "Visit Webpage", 2: "Fill Out Form", 6: "Send Email", 8: "Email Bounced", 9: "Unsubscribe Email",
	10: "Open Email", 11: "Click Email", 12: "New Lead", 13: "Change Data Value", 27: "Email Bounced Soft", 37: "Delete Lead",
}

// entry is one line of the activity log.
type entry struct {
	kind    int64
	lead    int64
	primary string
	changes []change
	source  string
	at      time.Time
}

type change struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	New  string `json:"newValue"`
	Old  string `json:"oldValue"`
}

// Log writes an activity of a person down.
func (s *Sim) Log(kind, person int64, primary string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logEntry(entry{kind: kind, lead: person, primary: primary})
}

// Edit changes a field as somebody working in Marketo does.
func (s *Sim) Edit(person int64, field string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := said(s.people[person][field])
	s.people[person][field] = value
	s.logChange(person, []change{{ID: 1, Name: field, New: said(value), Old: before}}, "Marketo user")
}

func (s *Sim) logChange(person int64, changes []change, source string) {
	if len(changes) > 0 {
		slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.Name, b.Name) })
		s.logEntry(entry{kind: 13, lead: person, changes: changes, source: source})
	}
}

func (s *Sim) logEntry(e entry) {
	first, _ := time.Parse(time.RFC3339, started)
	e.at = first.Add(time.Duration(len(s.log)) * time.Second)
	s.log = append(s.log, e)
}

func said(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func (s *Sim) types(*http.Request) answer {
	var all []any
	for id, name := range kinds {
		all = append(all, map[string]any{"id": id, "name": name, "description": name, "primaryAttribute": map[string]string{"name": "Asset", "dataType": "string"}, "attributes": []any{}})
	}
	return answer{result: all}
}

func (s *Sim) pagingToken(r *http.Request) answer {
	since, err := time.Parse(time.RFC3339, r.URL.Query().Get("sinceDatetime"))
	if err != nil {
		return refuse("1001", "Invalid value for sinceDatetime")
	}
	at := 0
	for at < len(s.log) && s.log[at].at.Before(since) {
		at++
	}
	return answer{next: pageToken(at)}
}

func pageToken(at int) string { return fmt.Sprintf("PAGE%d===", at) }

// activities serves the three feeds: what they leave out counts towards a page
// all the same, so that pages are short and empty as Marketo's are.
func (s *Sim) activities(r *http.Request) answer {
	q := r.URL.Query()
	at, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(q.Get("nextPageToken"), "PAGE"), "==="))
	if err != nil || at < 0 || at > len(s.log) {
		return refuse("1001", "Invalid nextPageToken")
	}
	end := min(at+pageSize, len(s.log))
	page := []any{}
	for i, e := range s.log[at:end] {
		switch feed := strings.TrimPrefix(r.URL.Path, "/rest/v1/"); {
		case feed == "activities/deletedleads.json" && e.kind == 37,
			feed == "activities.json" && slices.Contains(strings.Split(q.Get("activityTypeIds"), ","), strconv.FormatInt(e.kind, 10)):
			page = append(page, e.plain(at+i+1))
		case feed == "activities/leadchanges.json" && e.kind == 13:
			watched := slices.DeleteFunc(slices.Clone(e.changes), func(c change) bool {
				return !slices.Contains(strings.Split(q.Get("fields"), ","), c.Name)
			})
			if len(watched) > 0 {
				shown := e.plain(at + i + 1)
				shown["fields"] = watched
				shown["attributes"] = []any{map[string]any{"name": "Reason", "value": e.source}, map[string]any{"name": "Source", "value": e.source}}
				page = append(page, shown)
			}
		}
	}
	return answer{result: page, next: pageToken(end), more: end < len(s.log)}
}

// plain is an entry as every feed shows it.
func (e entry) plain(number int) map[string]any {
	all := map[string]any{
		"id": number, "marketoGUID": strconv.Itoa(number), "leadId": e.lead, "activityTypeId": e.kind,
		"activityDate": e.at.Format(time.RFC3339), "attributes": []any{},
	}
	if e.primary != "" {
		all["primaryAttributeValue"] = e.primary
	}
	return all
}
