package pardot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

var idForm = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// task is one update on its way.
type task struct {
	u           *connectors.Update
	id          string // the prospect; empty: not known
	email       string
	fields      map[string]any // to write, by name on the prospect
	join, leave []string       // segments, where they are lists
	done        bool
	result      connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	if idForm.MatchString(u.VendorID) {
		t.id = u.VendorID
	}
	if t.id == "" && t.email == "" {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a prospect is known"})
		return t
	}
	c.need(t, u.Known)
	if len(t.fields)+len(t.join)+len(t.leave) == 0 {
		t.end(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// need lists what differs from what the prospect is known to hold; with nil,
// everything.
func (c *Connector) need(t *task, known *connectors.State) {
	u := t.u
	t.fields, t.join, t.leave = map[string]any{}, nil, nil
	if u.Want.Stage != "" && (known == nil || known.Stage != u.Want.Stage) {
		t.fields[c.stage+suffix] = u.Want.Stage
	}
	join, leave := moved(u.Want, known)
	switch {
	case len(join)+len(leave) == 0:
	case c.asLists:
		t.join, t.leave = join, leave
	default:
		// The field is ours alone and always written whole.
		t.fields[c.segments+suffix] = strings.Join(u.Want.Segments, ";")
	}
	for name, value := range u.Want.Traits {
		if known != nil {
			if before, there := known.Traits[name]; there && sameValue(before, value) {
				continue
			}
		}
		t.fields[name] = fieldValue(value)
	}
}

// moved lists the segments to join and to leave, seen from what is known; all
// of them where nothing is.
func moved(want connectors.State, known *connectors.State) (join, leave []string) {
	if known == nil {
		return want.Segments, want.Absent
	}
	for _, s := range want.Segments {
		if !slices.Contains(known.Segments, s) {
			join = append(join, s)
		}
	}
	for _, s := range want.Absent {
		if !slices.Contains(known.Absent, s) {
			leave = append(leave, s)
		}
	}
	return join, leave
}

// fieldValue spells a trait as a prospect field takes it.
func fieldValue(v any) any {
	switch v.(type) {
	case []any, map[string]any:
		return plainText(v)
	}
	return v
}

// sameValue compares values whatever number types they travelled in.
func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return plainText(a) == plainText(b)
}

// plainText spells a value as text. A float is written out: fmt would give a
// million as 1e+06.
func plainText(v any) string {
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
			words[i] = plainText(one)
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

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// bring writes one person. An id that is gone leads back to the address.
func (c *Connector) bring(ctx context.Context, t *task) error {
	if t.id != "" {
		err := c.then(ctx, t, c.patch(ctx, t))
		if hasReason(err, connectors.ReasonInvalid) && len(t.fields) == 0 {
			// Nothing was written to the prospect itself, so that it may be gone.
			err = c.whyRefused(ctx, t.id, err)
		}
		if !hasReason(err, connectors.ReasonNotFound) {
			return err
		}
		t.id = ""
		if t.email == "" {
			t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the prospect was deleted"})
			return nil
		}
		// Whatever was known is gone with the prospect.
		c.need(t, nil)
		if err := c.prepare(ctx, []*task{t}); err != nil {
			return err
		}
	}
	if c.cfg.Push.Create {
		return c.then(ctx, t, c.upsert(ctx, t))
	}
	row, err := c.findByEmail(ctx, t.email, []string{"id", "email", "updatedAt"})
	if err != nil {
		return err
	}
	if row == nil {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "there is no prospect with this e-mail address, and the push creates none"})
		return nil
	}
	t.id = row.id()
	return c.then(ctx, t, c.patch(ctx, t))
}

// whyRefused looks whether a prospect that lists refuse is there at all.
func (c *Connector) whyRefused(ctx context.Context, id string, refused error) error {
	err := c.call(ctx, "look for a prospect", http.MethodGet, "/prospects/"+id, url.Values{"fields": {"id"}}, nil, nil)
	if err != nil {
		return err
	}
	return refused
}

// then goes on to the lists once the prospect itself is written.
func (c *Connector) then(ctx context.Context, t *task, err error) error {
	if err != nil || t.done || len(t.join)+len(t.leave) == 0 {
		return err
	}
	if t.id == "" {
		return &connectors.PushError{Act: "pardot: change lists", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not name the prospect"}
	}
	return c.changeLists(ctx, t)
}

// answerFields are asked for beside a write, to see what was kept.
func (c *Connector) answerFields(t *task) []string {
	fields := []string{"id", "email"}
	if _, writes := t.fields[c.stage+suffix]; writes {
		fields = append(fields, c.stage+suffix)
	}
	return fields
}

// patch writes to a prospect by id; only the fields sent change.
func (c *Connector) patch(ctx context.Context, t *task) error {
	if len(t.fields) == 0 {
		return nil
	}
	var got prospect
	query := url.Values{"fields": {strings.Join(c.answerFields(t), ",")}}
	err := c.call(ctx, "update a prospect", http.MethodPatch, "/prospects/"+t.id, query, t.fields, &got)
	return c.accept(t, got, err)
}

// upsert writes to the prospect with the address whose activity is the latest,
// or makes one. What is in the recycle bin is left there.
func (c *Connector) upsert(ctx context.Context, t *task) error {
	fields := maps.Clone(t.fields)
	fields["email"] = t.email
	var got prospect
	err := c.call(ctx, "upsert a prospect", http.MethodPost, "/prospects/do/upsertLatestByEmail", nil,
		upsert{MatchEmail: t.email, Prospect: fields, Fields: c.answerFields(t)}, &got)
	return c.accept(t, got, err)
}

// accept reads the answer to a write.
func (c *Connector) accept(t *task, got prospect, err error) error {
	switch {
	case errors.Is(err, errUnseen):
		t.end(connectors.Result{Outcome: connectors.Unconfirmed, Message: "written, but the user of the app may not read it"})
		return nil
	case hasReason(err, connectors.ReasonInvalid):
		c.fields.forget() // a field may have been removed
		return err
	case err != nil:
		return err
	}
	id := got.id()
	if id == "" {
		t.end(connectors.Result{Outcome: connectors.Unconfirmed, Message: "the answer does not name the prospect that was written"})
		return nil
	}
	t.id = id
	kept, told := got[c.stage+suffix]
	if sent, writes := t.fields[c.stage+suffix]; writes && told && fmt.Sprint(kept) != fmt.Sprint(sent) {
		t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused, Message: "the field " + c.stage + " kept another value than the one sent", VendorID: id})
	}
	return nil
}

// id gives a prospect's id as text; empty where there is none.
func (p prospect) id() string {
	text := fmt.Sprint(p["id"])
	if !idForm.MatchString(text) {
		return ""
	}
	return text
}

func (p prospect) text(name string) string {
	s, _ := p[name].(string)
	return s
}

// findByEmail gives the prospect with an address, the one changed last where
// there are several; nil for none.
func (c *Connector) findByEmail(ctx context.Context, email string, fields []string) (prospect, error) {
	rows, err := c.withEmail(ctx, email, fields)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return slices.MaxFunc(rows, func(a, b prospect) int {
		return cmp.Compare(instant(a.text("updatedAt")), instant(b.text("updatedAt")))
	}), nil
}

// withEmail gives the prospects with an address; an account may allow several.
func (c *Connector) withEmail(ctx context.Context, email string, fields []string) ([]prospect, error) {
	const act = "find a prospect"
	var got struct {
		Values []prospect `json:"values"`
	}
	query := url.Values{"fields": {strings.Join(fields, ",")}, "email": {email}}
	if err := c.call(ctx, act, http.MethodGet, "/prospects", query, nil, &got); err != nil {
		return nil, err
	}
	if got.Values == nil {
		return nil, noValues(act)
	}
	return slices.DeleteFunc(got.Values, func(p prospect) bool {
		return p.id() == "" || !strings.EqualFold(strings.TrimSpace(p.text("email")), email)
	}), nil
}
