package eloqua

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxRejectPages bounds what is read of the records that a sync refused.
const maxRejectPages = 5

// Status codes of syncs and records ("Eloqua status codes", read 2026-11).
const (
	codeLocked      = "ELQ-00133"
	codeRetries     = "ELQ-00145" // Eloqua tries again by itself
	codeTemporary   = "ELQ-00146" // worth trying again in an hour
	codeUnmatched   = "ELQ-00034"
	codeGone        = "ELQ-00085"
	pauseLocked     = 5 * time.Minute
	pauseTemporary  = time.Hour
	severityWarning = "warning"
)

// Poll implements connectors.JobPoller. A job is the numbers of the syncs that
// bring the same people, with commas between them.
func (c *Connector) Poll(ctx context.Context, job string, people []connectors.Update) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(people))
	for i := range results {
		results[i] = connectors.Result{Outcome: connectors.OK}
	}
	for number := range strings.SplitSeq(job, ",") {
		if !idForm.MatchString(number) {
			return nil, &connectors.PushError{Act: "eloqua: follow a sync", Reason: connectors.ReasonInvalid, Message: "the job is no list of syncs"}
		}
		var sync resource
		err := c.api.call(ctx, "follow a sync", http.MethodGet, bulk+"/syncs/"+number, nil, &sync)
		switch {
		case hasReason(err, connectors.ReasonNotFound), hasReason(err, connectors.ReasonGone):
			// Forgotten there before it was asked for: import once more.
			worsen(results, connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: "Eloqua no longer knows the sync"})
			continue
		case err != nil:
			return nil, err
		}
		switch sync.Status {
		case statusSuccess, statusWarning:
			if err := c.readOutcome(ctx, number, sync.Status, people, results); err != nil {
				return nil, err
			}
		case statusError:
			r, err := c.readFailure(ctx, number)
			if err != nil {
				return nil, err
			}
			worsen(results, r)
		default: // pending, active
			return nil, nil
		}
	}
	return results, c.followGone(ctx, people, results)
}

// worsen sets the outcome of everybody who has no failure yet.
func worsen(results []connectors.Result, r connectors.Result) {
	for i := range results {
		if results[i].Outcome == connectors.OK {
			results[i] = r
		}
	}
}

// readFailure tells why a sync ended in error.
func (c *Connector) readFailure(ctx context.Context, number string) (connectors.Result, error) {
	var log page[logLine]
	if err := c.api.call(ctx, "read the log of a sync", http.MethodGet, bulk+"/syncs/"+number+"/logs", nil, &log); err != nil {
		return connectors.Result{}, err
	}
	r := connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "the sync ended in error"}
	var words []string
	for _, line := range log.Items {
		switch line.Code {
		case codeLocked:
			r.Outcome, r.Reason, r.Delay = connectors.Retry, connectors.ReasonServer, pauseLocked
		case codeTemporary, codeRetries:
			r.Outcome, r.Reason, r.Delay = connectors.Retry, connectors.ReasonServer, pauseTemporary
		}
		if line.Severity == statusError || line.Severity == severityWarning {
			words = append(words, strings.TrimSpace(line.Code+" "+line.Message))
		}
	}
	if len(words) > 0 {
		r.Message = connectors.Words(strings.Join(words, "; "), c.api.hide...)
	}
	return r, nil
}

// readOutcome reads what a sync that has ended did not take: from the records
// that it refused and, where it only counts contacts that it did not find, by
// looking each of them up.
func (c *Connector) readOutcome(ctx context.Context, number, status string, people []connectors.Update, results []connectors.Result) error {
	if status == statusWarning {
		if err := c.readRejects(ctx, number, people, results); err != nil {
			return err
		}
	}
	var log page[logLine]
	if err := c.api.call(ctx, "read the log of a sync", http.MethodGet, bulk+"/syncs/"+number+"/logs", nil, &log); err != nil {
		return err
	}
	unmatched := slices.ContainsFunc(log.Items, func(l logLine) bool { return l.Code == codeUnmatched && l.Count > 0 })
	told := slices.ContainsFunc(results, func(r connectors.Result) bool { return r.Reason == connectors.ReasonNotFound })
	if !unmatched || told {
		return nil
	}
	for i := range people {
		if results[i].Outcome != connectors.OK || !idForm.MatchString(people[i].VendorID) {
			continue
		}
		err := c.api.call(ctx, "read a contact", http.MethodGet, rest+"/data/contact/"+people[i].VendorID+"?depth=minimal", nil, nil)
		switch {
		case hasReason(err, connectors.ReasonNotFound):
			results[i] = c.refused(reject{Code: codeUnmatched, Message: "The contact does not exist."})
		case err != nil:
			return err
		}
	}
	return nil
}

// readRejects finds out whom a sync refused. A refusal that fits nobody of the
// job leaves open who is meant.
func (c *Connector) readRejects(ctx context.Context, number string, people []connectors.Update, results []connectors.Result) error {
	for n := range maxRejectPages {
		var got page[reject]
		path := bulk + "/syncs/" + number + "/rejects?" + query("limit", strconv.Itoa(listPage), "offset", strconv.Itoa(n*listPage))
		if err := c.api.call(ctx, "read the refusals of a sync", http.MethodGet, path, nil, &got); err != nil {
			return err
		}
		for _, r := range got.Items {
			met := false
			for i := range people {
				if r.names(&people[i]) {
					met, results[i] = true, c.refused(r)
				}
			}
			if !met && (r.value(columnID) == "" && r.value(columnEmail) == "") {
				worsen(results, connectors.Result{Outcome: connectors.Unconfirmed, Message: "Eloqua refused a record without saying whose"})
			}
		}
		if !got.HasMore {
			return nil
		}
	}
	return nil
}

// value gives a column of a refused record as text.
func (r reject) value(column string) string {
	for name, raw := range r.Values {
		if !strings.EqualFold(name, column) {
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return strings.TrimSpace(text)
		}
		return strings.TrimSpace(string(raw))
	}
	return ""
}

// names reports whether a refused record is a person's.
func (r reject) names(u *connectors.Update) bool {
	id, email := r.value(columnID), r.value(columnEmail)
	return id != "" && id == u.VendorID || email != "" && strings.EqualFold(email, strings.TrimSpace(u.Email))
}

// refused is the outcome for one record.
func (c *Connector) refused(r reject) connectors.Result {
	words := strings.TrimSpace(r.Code + " " + r.Message)
	if len(r.Fields) > 0 {
		words += " (" + strings.Join(r.Fields, ", ") + ")"
	}
	result := connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: connectors.Words(cmp.Or(words, "refused without a reason"), c.api.hide...)}
	switch r.Code {
	case codeLocked:
		result.Outcome, result.Reason, result.Delay = connectors.Retry, connectors.ReasonServer, pauseLocked
	case codeUnmatched, codeGone:
		result.Reason = connectors.ReasonNotFound
	}
	return result
}

// followGone looks up people whose number Eloqua no longer knows: merged or
// deleted since. They are found, or made, under their address, and sent once
// more; the reason is one after which nothing is taken for known.
func (c *Connector) followGone(ctx context.Context, people []connectors.Update, results []connectors.Result) error {
	for i := range people {
		if results[i].Outcome != connectors.Permanent || results[i].Reason != connectors.ReasonNotFound {
			continue
		}
		id, err := c.present(ctx, strings.TrimSpace(people[i].Email))
		switch {
		case err != nil:
			return err
		case id == "" || id == people[i].VendorID:
			results[i] = notThere()
		default:
			results[i] = connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonServer, Message: "the contact has another number now", VendorID: id}
		}
	}
	return nil
}

// present gives the number under which an address is to be found, making the
// contact where a push may.
func (c *Connector) present(ctx context.Context, email string) (string, error) {
	if email == "" || !strings.Contains(email, "@") {
		return "", nil
	}
	found, err := c.findByEmail(ctx, email, "minimal")
	if err != nil || found != nil {
		return idOf(found), err
	}
	if !c.cfg.Push.Create {
		return "", nil
	}
	var made contact
	err = c.api.call(ctx, "create a contact", http.MethodPost, rest+"/data/contact", contact{Email: email}, &made)
	if hasReason(err, connectors.ReasonInvalid) || hasReason(err, connectors.ReasonConflict) {
		return "", nil
	}
	return idOf(&made), err
}

func idOf(c *contact) string {
	if c == nil || !idForm.MatchString(c.ID) {
		return ""
	}
	return c.ID
}
