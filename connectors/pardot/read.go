package pardot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it reads the account's name.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var account struct {
		ID      json.Number `json:"id"`
		Company string      `json:"company"`
	}
	if err := c.call(ctx, "test the connection", http.MethodGet, "/account", url.Values{"fields": {"id,company"}}, nil, &account); err != nil {
		return "", err
	}
	return fmt.Sprintf("Account Engagement account %s of %q", account.ID, connectors.Words(account.Company)), nil
}

// ownFields are the fields that tell what a prospect holds of ours; reading
// makes none.
func (c *Connector) ownFields(ctx context.Context) ([]string, error) {
	wanted := []string{c.stage}
	if !c.asLists {
		wanted = append(wanted, c.segments)
	}
	there, err := c.fields.existing(ctx, wanted...)
	if err != nil {
		return nil, err
	}
	fields := []string{"id", "email", "updatedAt"}
	for _, id := range there {
		fields = append(fields, id+suffix)
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		if !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	return fields, nil
}

// Read implements connectors.Reader, with one request a person, or two where
// segments are lists. Segments are those of the update's managed set.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if err := c.mayAsk("read prospects"); err != nil {
		return nil, err
	}
	fields, err := c.ownFields(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		group.Go(func() error {
			state, err := c.readOne(ctx, &people[i], fields)
			states[i] = state
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

func (c *Connector) readOne(ctx context.Context, u *connectors.Update, fields []string) (*connectors.State, error) {
	row, err := c.findOne(ctx, u, fields)
	if err != nil || row == nil {
		return nil, err
	}
	state := c.state(row)
	holds := func(segment string) (bool, error) { return slices.Contains(state.Segments, segment), nil }
	if c.asLists {
		in, err := c.memberships(ctx, row.id())
		if err != nil {
			return nil, err
		}
		holds = func(segment string) (bool, error) {
			id, err := c.lists.id(ctx, segment, false)
			return id != 0 && in[id].ID != 0, err
		}
	}
	s := connectors.State{Stage: state.Stage, Traits: state.Traits}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		in, err := holds(name)
		switch {
		case err != nil:
			return nil, err
		case in:
			s.Segments = append(s.Segments, name)
		default:
			s.Absent = append(s.Absent, name)
		}
	}
	return &s, nil
}

// findOne reads a person's prospect by id, else by address; nil for none.
func (c *Connector) findOne(ctx context.Context, u *connectors.Update, fields []string) (prospect, error) {
	if idForm.MatchString(u.VendorID) {
		var row prospect
		err := c.call(ctx, "read a prospect", http.MethodGet, "/prospects/"+u.VendorID, url.Values{"fields": {strings.Join(fields, ",")}}, nil, &row)
		if err == nil && row.id() != "" {
			return row, nil
		}
		if err != nil && !hasReason(err, connectors.ReasonNotFound) {
			return nil, err
		}
	}
	if email := strings.TrimSpace(u.Email); email != "" {
		return c.findByEmail(ctx, email, fields)
	}
	return nil, nil
}

// state puts a prospect into our words.
func (c *Connector) state(row prospect) connectors.State {
	s := connectors.State{Stage: row.text(c.stage + suffix)}
	for name := range strings.SplitSeq(row.text(c.segments+suffix), ";") {
		if name = strings.TrimSpace(name); name != "" {
			s.Segments = append(s.Segments, name)
		}
	}
	slices.Sort(s.Segments)
	for name := range c.cfg.Push.Traits {
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = plain(row[name])
	}
	return s
}

// plain turns a decoded number into int64 or float64.
func plain(value any) any {
	n, ok := value.(json.Number)
	if !ok {
		return value
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}

// List implements connectors.Lister, in the order of the prospects' ids; the
// cursor is the last one given. Segments that are lists are not among the
// answers: they would cost a request a person.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	if cursor != "" && !idForm.MatchString(cursor) {
		return nil, &connectors.PushError{Act: "pardot: list prospects", Reason: connectors.ReasonSettings, Message: "the cursor is not one of this connection's"}
	}
	if err := c.mayAsk("list prospects"); err != nil {
		return nil, err
	}
	fields, err := c.ownFields(ctx)
	if err != nil {
		return nil, err
	}
	query := url.Values{"fields": {strings.Join(fields, ",")}, "orderBy": {"id ASC"}, "limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("idGreaterThan", cursor)
	}
	var got struct {
		Values []prospect `json:"values"`
	}
	if err := c.call(ctx, "list prospects", http.MethodGet, "/prospects", query, nil, &got); err != nil {
		return nil, err
	}
	if got.Values == nil {
		return nil, noValues("list prospects")
	}
	listed := &connectors.Listed{}
	last := ""
	for _, row := range got.Values {
		if last = row.id(); last != "" {
			listed.People = append(listed.People, connectors.Listing{VendorID: last, Email: row.text("email"), State: c.state(row)})
		}
	}
	if len(got.Values) == pageSize && last != cursor {
		listed.Cursor = last
	}
	return listed, nil
}

// Erase implements connectors.Eraser. The API moves a prospect to the recycle
// bin, and no further: somebody has to delete it there, so that the outcome is
// never OK where something was found.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	var ids []string
	if idForm.MatchString(who.VendorID) {
		ids = append(ids, who.VendorID)
	}
	email := strings.TrimSpace(who.Email)
	if len(ids) == 0 && email == "" {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a prospect is known"}, nil
	}
	if email != "" {
		rows, err := c.withEmail(ctx, email, []string{"id", "email"})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if !slices.Contains(ids, row.id()) {
				ids = append(ids, row.id())
			}
		}
	}
	var gone []string
	for _, id := range ids {
		err := c.call(ctx, "delete a prospect", http.MethodDelete, "/prospects/"+id, nil, nil, nil)
		switch {
		case err == nil:
			gone = append(gone, id)
		case !hasReason(err, connectors.ReasonNotFound):
			return nil, err
		}
	}
	if len(gone) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "there is no such prospect", Proof: "no prospect found"}, nil
	}
	return &connectors.Erased{
		Outcome: connectors.Unconfirmed,
		Message: "moved to the recycle bin; somebody has to delete it there for good (Account Engagement, Admin, Recycle Bin)",
		Proof:   "prospects moved to the recycle bin: " + strings.Join(gone, ", "),
	}, nil
}
