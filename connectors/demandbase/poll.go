package demandbase

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// interval is the pause between looks at an export under way: an account
	// may ask 300 times a day (Data Export API, limits).
	interval = 6 * time.Minute
	// failedPause is the pause before an export that failed is made again; an
	// account may make 60 a day.
	failedPause = 2 * time.Hour
	// exportLife is when an export is given up that is not read by then: its
	// results live for 24 hours.
	exportLife = 24 * time.Hour
	// maxPeople bounds an export, since what was seen of each is remembered.
	maxPeople = 20_000
	// maxEvents is how many changed people one Fetch tells.
	maxEvents = 1000
)

// cursor is where reading exports stands.
type cursor struct {
	// Job is the export under way; empty: none.
	Job string `json:"job,omitempty"`
	// Began is when it was made; zero in cursors of an earlier release.
	Began time.Time `json:"began,omitzero"`
	// Next is when the next one is due.
	Next time.Time `json:"next,omitzero"`
	// Seen holds a hash of each person's row, sorted; nil before the first
	// export. What is not in it is new or has changed.
	Seen []uint64 `json:"-"`
	// SeenText is Seen in base64.
	SeenText *string `json:"seen,omitempty"`
}

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return interval }

// Fetch implements connectors.Poller. Demandbase tells nobody of engagement or
// journey stages; so people are exported once a day, and those whose row
// differs from the last export are told. The first export tells nothing: it is
// what the second is compared with.
func (c *Connector) Fetch(ctx context.Context, at string) (*connectors.Fetched, error) {
	if len(c.export) == 0 || !c.authenticated() {
		return &connectors.Fetched{Cursor: at}, nil
	}
	cur := readCursor(at)
	now := c.cfg.Now().UTC().Truncate(time.Second)
	if cur.Job == "" {
		if now.Before(cur.Next) {
			return &connectors.Fetched{Cursor: at}, nil
		}
		job, err := c.startExport(ctx)
		if err != nil {
			return nil, err
		}
		cur.Job, cur.Began = job, now
		return &connectors.Fetched{Cursor: cur.text()}, nil
	}
	if cur.Began.IsZero() {
		cur.Began = now
	}
	rows, state, err := c.finished(ctx, cur.Job)
	switch {
	case (err != nil || state == exportRunning) && now.Sub(cur.Began) >= exportLife:
		cur.Job, cur.Began, cur.Next = "", time.Time{}, now.Add(failedPause)
		return &connectors.Fetched{Cursor: cur.text()}, nil
	case err != nil:
		return nil, err
	case state == exportFailed:
		cur.Job, cur.Began, cur.Next = "", time.Time{}, now.Add(failedPause)
		return &connectors.Fetched{Cursor: cur.text()}, nil
	case state == exportRunning:
		return &connectors.Fetched{Cursor: cur.text()}, nil
	}
	return c.told(cur, rows, now)
}

// told compares an export with the one before and tells what is new, at most a
// page of it; the rest is found again by the same comparison.
func (c *Connector) told(cur cursor, rows []map[string]string, now time.Time) (*connectors.Fetched, error) {
	fetched := &connectors.Fetched{}
	first := cur.Seen == nil
	seen := make([]uint64, 0, len(rows))
	for _, row := range rows {
		body, err := json.Marshal(row)
		if err != nil {
			return nil, &connectors.PushError{Act: "demandbase: read an export", Reason: connectors.ReasonBadAnswer, Retryable: true, Err: err}
		}
		sum := sha256.Sum256(body)
		mark := binary.BigEndian.Uint64(sum[:])
		if _, known := slices.BinarySearch(cur.Seen, mark); !known && !first {
			if len(fetched.Events) == maxEvents {
				fetched.More = true
				continue
			}
			// The export's number: who changes back is told again.
			fetched.Events = append(fetched.Events, connectors.RawEvent{
				Type: "export.person", Dedupe: connectors.Dedupe("export", cur.Job, string(body)), Body: body,
			})
		}
		seen = append(seen, mark)
	}
	slices.Sort(seen)
	cur.Seen = slices.Compact(seen)
	if !fetched.More {
		cur.Job, cur.Began, cur.Next = "", time.Time{}, now.Add(c.every)
	}
	fetched.Cursor = cur.text()
	return fetched, nil
}

// startExport makes an export of people.
func (c *Connector) startExport(ctx context.Context) (string, error) {
	body := exportRequest{Entity: "person", Name: "stagebridge-" + c.cfg.ID, Format: "CSV", Lists: c.lists}
	body.Name = body.Name[:min(len(body.Name), 50)]
	for _, column := range c.export {
		body.Fields = append(body.Fields, column.field)
	}
	var got struct {
		JobID any `json:"jobId"`
	}
	if err := c.call(ctx, connectors.Call{Act: "start an export", Method: http.MethodPost, URL: exportPath + "/job", JSON: body}, &got); err != nil {
		return "", err
	}
	if job := fmt.Sprint(got.JobID); got.JobID != nil && job != "" && len(job) <= 200 {
		return job, nil
	}
	return "", badAnswer("start an export", "the answer does not name the job")
}

// exportRequest makes an export.
type exportRequest struct {
	Entity string   `json:"entityType"`
	Name   string   `json:"jobName"` // at most 50 characters
	Fields []string `json:"fields"`
	Format string   `json:"format"`
	Lists  []int64  `json:"personListIds,omitempty"`
}

// States of an export, as far as it matters.
const (
	exportRunning = iota
	exportFinished
	exportFailed
)

// finished gives the rows of an export once it is.
func (c *Connector) finished(ctx context.Context, job string) ([]map[string]string, int, error) {
	var got struct {
		Status string `json:"jobStatus"`
		Result string `json:"resultsUrl"`
	}
	err := c.call(ctx, connectors.Call{Act: "follow an export", Method: http.MethodGet, URL: exportPath + "/job/" + url.PathEscape(job)}, &got)
	switch {
	case err != nil && failure(err).Reason == connectors.ReasonNotFound, strings.EqualFold(got.Status, "failed"):
		return nil, exportFailed, nil
	case err != nil:
		return nil, exportRunning, err
	case !strings.EqualFold(got.Status, "finished") || got.Result == "":
		return nil, exportRunning, nil
	}
	if strings.HasPrefix(c.base, "https:") && !strings.HasPrefix(got.Result, "https:") {
		return nil, exportRunning, badAnswer("follow an export", "the address of the results cannot be called")
	}
	// The address is signed and of another host: our token does not go there.
	answer, err := c.cfg.HTTP.Do(ctx, connectors.Call{Act: "demandbase: read an export", Method: http.MethodGet, URL: got.Result, Secrets: c.hide()})
	if err != nil {
		e := failure(err)
		if e.Reason == connectors.ReasonForbidden || e.Reason == connectors.ReasonGone || e.Reason == connectors.ReasonNotFound {
			return nil, exportFailed, nil // it lives 24 hours
		}
		return nil, exportRunning, e
	}
	rows, err := c.rows(answer.Body)
	return rows, exportFinished, err
}

// rows reads the table of an export. A column is known by its name or, where
// the table calls it otherwise, by its place among those asked for.
func (c *Connector) rows(table []byte) ([]map[string]string, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(table, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	lines, err := r.ReadAll()
	if err != nil {
		return nil, badAnswer("read an export", "the table cannot be read: "+connectors.Words(err.Error()))
	}
	if len(lines) == 0 {
		return nil, nil
	}
	if len(lines) > maxPeople+1 {
		return nil, &connectors.PushError{Act: "demandbase: read an export", Reason: connectors.ReasonTooLarge, Message: fmt.Sprintf("%d people are exported; name lists of at most %d under %s", len(lines)-1, maxPeople, settingLists)}
	}
	places := map[string]int{}
	for i, column := range c.export {
		place := slices.IndexFunc(lines[0], func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), column.field) })
		if place < 0 && len(lines[0]) == len(c.export) {
			place = i
		}
		if place < 0 {
			return nil, badAnswer("read an export", "the table has no column "+column.field)
		}
		places[column.member] = place
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for member, place := range places {
			if place < len(line) && strings.TrimSpace(line[place]) != "" {
				row[member] = strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(line[place]), "\x00", ""), "\uFFFD")
			}
		}
		if row["email"] != "" {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// readCursor reads a cursor; one that cannot be read begins anew.
func readCursor(at string) cursor {
	var cur cursor
	if json.Unmarshal([]byte(at), &cur) != nil {
		return cursor{}
	}
	if cur.SeenText == nil {
		return cur
	}
	b, err := base64.RawStdEncoding.DecodeString(*cur.SeenText)
	if err != nil || len(b)%8 != 0 {
		return cursor{}
	}
	cur.Seen = make([]uint64, 0, len(b)/8)
	for i := 0; i < len(b); i += 8 {
		cur.Seen = append(cur.Seen, binary.BigEndian.Uint64(b[i:]))
	}
	return cur
}

// text writes a cursor.
func (cur cursor) text() string {
	cur.SeenText = nil
	if cur.Seen != nil {
		b := make([]byte, 0, 8*len(cur.Seen))
		for _, mark := range cur.Seen {
			b = binary.BigEndian.AppendUint64(b, mark)
		}
		text := base64.RawStdEncoding.EncodeToString(b)
		cur.SeenText = &text
	}
	b, err := json.Marshal(cur)
	if err != nil {
		return "" // a struct of texts and a time; begins anew
	}
	return string(b)
}
