package pardot

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// listBook remembers the ids of our static lists by name in lower case.
type listBook struct {
	c    *Connector
	turn chan struct{} // guards the fields below
	ids  map[string]int64
	read bool
}

// id finds the list of a segment, or makes it where it is needed. Zero: there
// is none and none is needed. Any error is a *connectors.PushError.
func (b *listBook) id(ctx context.Context, segment string, needed bool) (int64, error) {
	if err := lock(ctx, "find a list", b.turn); err != nil {
		return 0, err
	}
	defer func() { <-b.turn }()
	name := b.c.prefix + segment
	if id := b.ids[strings.ToLower(name)]; id != 0 {
		return id, nil
	}
	if !b.read || needed {
		dynamic := false
		err := readAll(ctx, b.c, "list the lists", "/lists", "id,name,isDynamic", func(l list) {
			if l.IsDynamic {
				dynamic = dynamic || strings.EqualFold(l.Name, name)
				return
			}
			if strings.HasPrefix(strings.ToLower(l.Name), strings.ToLower(b.c.prefix)) {
				b.ids[strings.ToLower(l.Name)] = l.ID
			}
		})
		if err != nil {
			return 0, err
		}
		if dynamic {
			return 0, &connectors.PushError{Act: "pardot: find a list", Reason: connectors.ReasonSettings, Message: "the list " + name + " is a dynamic one, which takes no members; rename or delete it"}
		}
		b.read = true
	}
	if id := b.ids[strings.ToLower(name)]; id != 0 || !needed {
		return id, nil
	}
	if !b.c.create {
		return 0, &connectors.PushError{Act: "pardot: find a list", Reason: connectors.ReasonSettings, Message: "there is no static list " + name + "; create it, or let the connection do so (create_fields)"}
	}
	var made list
	if err := b.c.call(ctx, "create a list", http.MethodPost, "/lists", url.Values{"fields": {"id,name"}}, list{Name: name}, &made); err != nil {
		return 0, failure(err)
	}
	if made.ID == 0 {
		return 0, &connectors.PushError{Act: "pardot: create a list", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not name the list"}
	}
	b.ids[strings.ToLower(name)] = made.ID
	return made.ID, nil
}

// forget lets the lists be read anew.
func (b *listBook) forget() {
	b.turn <- struct{}{}
	clear(b.ids)
	b.read = false
	<-b.turn
}

// held is a prospect's membership of one list.
type held struct {
	ID       int64 `json:"id"`
	ListID   int64 `json:"listId"`
	OptedOut bool  `json:"optedOut"`
}

// memberships reads the lists that a prospect is in.
func (c *Connector) memberships(ctx context.Context, id string) (map[int64]held, error) {
	const act = "read the lists of a prospect"
	query := url.Values{"fields": {"id,listId,optedOut"}, "prospectId": {id}, "limit": {strconv.Itoa(pageSize)}}
	var got struct {
		Values []held `json:"values"`
	}
	if err := c.call(ctx, act, http.MethodGet, "/list-memberships", query, nil, &got); err != nil {
		return nil, err
	}
	if got.Values == nil {
		return nil, noValues(act)
	}
	all := map[int64]held{}
	for _, m := range got.Values {
		all[m.ListID] = m
	}
	return all, nil
}

// changeLists brings a prospect into the lists of its segments and out of the
// others. Adding somebody twice is an error at the vendor, so that what is
// there is read first. A membership that the person opted out of is left as it
// is: taken away and given again, it would be an opt-in.
func (c *Connector) changeLists(ctx context.Context, t *task) error {
	have, err := c.memberships(ctx, t.id)
	if err != nil {
		return err
	}
	prospectID, err := strconv.ParseInt(t.id, 10, 64)
	if err != nil {
		return &connectors.PushError{Act: "pardot: change lists", Reason: connectors.ReasonInvalid, Message: "the prospect's id is not a number"}
	}
	for _, segment := range t.join {
		id, err := c.lists.id(ctx, segment, true)
		if err != nil {
			return err
		}
		if have[id].ID != 0 {
			continue
		}
		err = c.call(ctx, "add to a list", http.MethodPost, "/list-memberships", nil, membership{ListID: id, ProspectID: prospectID}, nil)
		if err != nil {
			c.lists.forget() // it may have been deleted
			return err
		}
	}
	for _, segment := range t.leave {
		id, err := c.lists.id(ctx, segment, false)
		if err != nil {
			return err
		}
		m := have[id]
		switch {
		case id == 0 || m.ID == 0:
			continue
		case m.OptedOut:
			t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonOptedOut, Message: "left in the list " + c.prefix + segment + ", which the person opted out of", VendorID: t.id})
			continue
		}
		err = c.call(ctx, "take off a list", http.MethodDelete, "/list-memberships/"+strconv.FormatInt(m.ID, 10), nil, nil, nil)
		if err != nil && !hasReason(err, connectors.ReasonNotFound) {
			return err
		}
	}
	return nil
}
