package demandbase

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// maxBatch is how many people one Push brings; an import takes any number.
	maxBatch = 5000
	// maxForms is how many imports one Push makes. Rows of one import have the
	// same columns, since an empty cell would clear what is there.
	maxForms = 4
)

// Limits implements connectors.Destination. An account may make 1,200 imports a
// day (Data Import API, limits); 40 an hour are 960.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: 40, Per: time.Hour, Takes: connectors.TakesState}
}

// line is one person or account on its way into a table. A nil fields means
// that its result is known already.
type line struct {
	who    string // what the import finds it by
	want   *connectors.State
	fields row
}

// Push implements connectors.Destination: people are imported from a table. The
// import is a job of the vendor's; Poll follows it.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	results, lines := make([]connectors.Result, len(updates)), make([]line, len(updates))
	for i := range updates {
		u := &updates[i]
		var done *connectors.Result
		lines[i] = line{who: strings.TrimSpace(u.Email), want: &u.Want}
		if lines[i].fields, done = c.newRow(u); done != nil {
			results[i] = *done
		}
	}
	return c.importLines(ctx, target{"Person", c.email}, lines, results)
}

// target is what an import is about, and the column that it finds that by.
type target struct{ entity, key string }

// importLines imports the lines that have fields and sets their results.
func (c *Connector) importLines(ctx context.Context, to target, lines []line, results []connectors.Result) ([]connectors.Result, error) {
	forms := map[string][]int{}
	for i := range lines {
		if lines[i].fields != nil {
			form := strings.Join(slices.Sorted(maps.Keys(lines[i].fields)), "\x00")
			forms[form] = append(forms[form], i)
		}
	}
	if len(forms) > maxForms {
		forms = c.oneForm(lines, forms)
	}
	var last, away *connectors.PushError
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		result := notAttempted(away)
		if away == nil {
			job, err := c.importRows(ctx, to, forms[form], lines)
			result = connectors.Result{Outcome: connectors.Submitted, Job: job}
			if err != nil {
				last = failure(err)
				result = last.Result()
			}
			if err != nil && !ofTable(last) {
				away = last
			}
		}
		for _, i := range forms[form] {
			results[i] = result
		}
	}
	if last != nil && !slices.ContainsFunc(results, func(r connectors.Result) bool { return r.Reason != last.Reason && r.Reason != connectors.ReasonNotDone }) {
		return nil, last
	}
	return results, nil
}

// ofTable reports whether a refusal is about what the table held; any other
// would be met by the next table as well.
func ofTable(e *connectors.PushError) bool {
	switch e.Reason {
	case connectors.ReasonInvalid, connectors.ReasonTooLarge, connectors.ReasonConflict:
		return true
	}
	return false
}

// notAttempted is the outcome for those behind a failure of the whole; none
// where there was no failure.
func notAttempted(away *connectors.PushError) connectors.Result {
	if away == nil {
		return connectors.Result{}
	}
	return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(away.Reason), Delay: away.RetryAfter}
}

// row is what an import brings of one line, by column, beside what finds it.
type row map[string]string

// newRow compares what is wanted with what is known; the result is of those
// who are not imported.
func (c *Connector) newRow(u *connectors.Update) (row, *connectors.Result) {
	switch {
	case strings.TrimSpace(u.Email) == "":
		return nil, &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "an import finds people by e-mail address only"}
	case !c.cfg.Push.Create:
		return nil, &connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonSettings, Message: "an import may create whoever is not there; switch on push.create to allow that"}
	}
	r := c.differing(&u.Want, u.Known)
	if len(r) == 0 {
		return nil, &connectors.Result{Outcome: connectors.OK}
	}
	return r, nil
}

// differing gives the columns in which what is wanted is not what is known.
func (c *Connector) differing(want, known *connectors.State) row {
	r := row{}
	if want.Stage != "" && (known == nil || known.Stage != want.Stage) {
		r[c.stage] = want.Stage
	}
	if segmentsDiffer(*want, known) {
		r[c.segments] = strings.Join(want.Segments, ";")
	}
	for label, value := range want.Traits {
		if known != nil {
			if before, there := known.Traits[label]; there && cell(before) == cell(value) {
				continue
			}
		}
		r[label] = cell(value)
	}
	return r
}

// segmentsDiffer reports whether the field of the segments has to be written.
// It is ours alone and always written whole.
func segmentsDiffer(want connectors.State, known *connectors.State) bool {
	if known == nil {
		return len(want.Segments)+len(want.Absent) > 0
	}
	lacks := func(all, of []string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(of, s) })
	}
	return lacks(want.Segments, known.Segments) || lacks(want.Absent, known.Absent)
}

// oneForm gives everybody the same columns. What a person does not change is
// filled in with what is wanted, which is what is known to be there.
func (c *Connector) oneForm(lines []line, forms map[string][]int) map[string][]int {
	var all []int
	columns := map[string]bool{}
	for _, people := range forms {
		all = append(all, people...)
		for label := range lines[people[0]].fields {
			columns[label] = true
		}
	}
	slices.Sort(all)
	together := map[string][]int{}
	for _, i := range all {
		want, fields := lines[i].want, lines[i].fields
		for label := range columns {
			value, wanted := want.Traits[label]
			switch {
			case label == c.stage && want.Stage != "":
				fields[label] = want.Stage
			case label == c.segments:
				fields[label] = strings.Join(want.Segments, ";")
			case wanted:
				fields[label] = cell(value)
			}
		}
		// Somebody without a stage keeps a form of their own.
		form := strings.Join(slices.Sorted(maps.Keys(fields)), "\x00")
		together[form] = append(together[form], i)
	}
	return together
}

// cell spells a value for a table. A float is written out: fmt would give a
// million as 1e+06.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		words := make([]string, len(v))
		for i, one := range v {
			words[i] = cell(one)
		}
		return strings.Join(words, ";")
	case map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

// importJob is a job of the Data Import API.
type importJob struct {
	ID    int64  `json:"id"`
	State string `json:"state"`
}

// importRequest makes one.
type importRequest struct {
	Name   string `json:"dataImportName"`
	Entity string `json:"entityType"`
	Source string `json:"source"`
}

// importRows makes a job and uploads its table. listAction is always noop: the
// API's default would empty a list of accounts first.
func (c *Connector) importRows(ctx context.Context, to target, some []int, lines []line) (string, error) {
	table, err := tableOf(to.key, some, lines)
	if err != nil {
		return "", &connectors.PushError{Act: "demandbase: write the table", Reason: connectors.ReasonInvalid, Message: connectors.Words(err.Error())}
	}
	var made, taken importJob
	err = c.call(ctx, connectors.Call{
		Act: "create an import", Method: http.MethodPost, URL: importPath + "/job",
		JSON: importRequest{"Stagebridge " + c.cfg.ID, to.entity, c.source},
	}, &made)
	if err != nil {
		return "", err
	}
	if made.ID <= 0 {
		return "", badAnswer("create an import", "the answer does not name the job")
	}
	id := strconv.FormatInt(made.ID, 10)
	err = c.call(ctx, connectors.Call{
		Act: "upload an import", Method: http.MethodPut, URL: importPath + "/job/" + id + "/data?listAction=noop",
		Header: http.Header{"Content-Type": {"application/octet-stream"}}, Body: table,
	}, &taken)
	switch {
	case err != nil:
		return "", err
	case taken.State == "failed":
		return "", &connectors.PushError{Act: "demandbase: upload an import", Reason: connectors.ReasonServer, Retryable: true, Message: "the import failed at once"}
	case taken.State == "":
		return "", badAnswer("upload an import", "the answer does not tell the job's state")
	}
	return id, nil
}

// tableOf writes lines of one form.
func tableOf(key string, some []int, lines []line) ([]byte, error) {
	columns := slices.Sorted(maps.Keys(lines[some[0]].fields))
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.Write(append([]string{key}, columns...)); err != nil {
		return nil, err
	}
	for _, i := range some {
		cells := []string{lines[i].who}
		for _, label := range columns {
			cells = append(cells, lines[i].fields[label])
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func badAnswer(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "demandbase: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: words}
}
