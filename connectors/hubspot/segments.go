package hubspot

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// contactType is the object type id of contacts.
	contactType = "0-1"
	// listPrefix begins the name of every list that is ours.
	listPrefix = "Stagebridge: "
)

// membership brings people into the lists of their segments and out of the
// others: one call per list, for all people of the push together. It runs last,
// with the record ids that the writing brought.
func (p *push) membership(ctx context.Context) {
	var items []*item
	for _, it := range p.open() {
		if it.segments {
			items = append(items, it)
		}
	}
	p.findIDs(ctx, items)
	joins, leaves := map[string][]*item{}, map[string][]*item{}
	names := map[string]bool{}
	for _, it := range items {
		if it.id == "" {
			it.skip(connectors.ReasonNotInVendor, "HubSpot has no contact with this e-mail address")
			continue
		}
		for _, s := range it.join {
			joins[s], names[s] = append(joins[s], it), true
		}
		for _, s := range it.leave {
			leaves[s], names[s] = append(leaves[s], it), true
		}
	}
	for _, name := range sortedKeys(names) {
		concerned := slices.Concat(joins[name], leaves[name])
		if p.stop != nil && p.stop.Retryable {
			p.fail(concerned, p.stop)
			continue
		}
		p.changeList(ctx, name, joins[name], leaves[name])
	}
}

// changeList makes the call for one segment's list.
func (p *push) changeList(ctx context.Context, segment string, join, leave []*item) {
	concerned := slices.Concat(join, leave)
	id, err := p.c.lists.id(ctx, segment, len(join) > 0)
	switch {
	case reason(err) == connectors.ReasonSettings:
		// About this list alone: those who only leave it are not in it.
		for _, it := range join {
			it.fail(asPush(err))
		}
		return
	case err != nil:
		p.halt(concerned, asPush(err))
		return
	case id == "":
		return // nobody can be in a list that is not there
	}
	change := membershipChange{Add: recordIDs(join), Remove: recordIDs(leave)}
	var got membershipAnswer
	_, err = p.c.call(ctx, "change the list "+listPrefix+segment, http.MethodPut, "/crm/v3/lists/"+escape(id)+"/memberships/add-and-remove", change, &got)
	if e := asPush(err); e != nil {
		if e.Reason == connectors.ReasonNotFound {
			// Somebody deleted the list; it is looked up, or made, anew.
			p.c.lists.forget(segment)
			e.Retryable = true
			p.fail(concerned, e)
			return
		}
		p.halt(concerned, e)
		return
	}
	for _, it := range join {
		if slices.Contains(got.Missing, flexibleID(it.id)) {
			it.missing = true
			it.skip(connectors.ReasonNotInVendor, "the contact was deleted at HubSpot")
		}
	}
}

func recordIDs(items []*item) []string {
	ids := make([]string, 0, len(items))
	for _, it := range items {
		if !slices.Contains(ids, it.id) {
			ids = append(ids, it.id)
		}
	}
	return ids
}

// lists remembers the ids of our lists by segment.
type lists struct {
	c    *Connector
	turn chan struct{} // guards known
	// known ids by segment.
	known map[string]string
}

func newLists(c *Connector) *lists {
	return &lists{c: c, turn: make(chan struct{}, 1), known: map[string]string{}}
}

// id finds the list of a segment by its name, or makes it where it is needed
// and the connection may. Empty: there is none and none is needed. An error with
// ReasonSettings says what a person has to do.
func (l *lists) id(ctx context.Context, segment string, needed bool) (string, error) {
	if err := lock(ctx, "find a list", l.turn); err != nil {
		return "", err
	}
	defer func() { <-l.turn }()
	if id := l.known[segment]; id != "" {
		return id, nil
	}
	id, err := l.find(ctx, segment)
	if err != nil || id != "" || !needed {
		return id, err
	}
	if !l.c.create {
		return "", lacks("find a list", "there is no list \""+listPrefix+segment+"\"; create it as a static list, or let the connection do so (create_properties)")
	}
	var made listAnswer
	_, err = l.c.call(ctx, "create a list", http.MethodPost, "/crm/v3/lists/", listCreate{listPrefix + segment, contactType, "MANUAL"}, &made)
	if lost(err) {
		return l.find(ctx, segment) // somebody else was first, or the words say why not
	}
	if err != nil {
		return "", err
	}
	l.known[segment] = string(made.List.ListID)
	return l.known[segment], nil
}

// find looks a list up; empty when there is none.
func (l *lists) find(ctx context.Context, segment string) (string, error) {
	var got listAnswer
	_, err := l.c.call(ctx, "find a list", http.MethodGet, "/crm/v3/lists/object-type-id/"+contactType+"/name/"+escape(listPrefix+segment), nil, &got)
	if reason(err) == connectors.ReasonNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if strings.EqualFold(got.List.ProcessingType, "DYNAMIC") {
		return "", lacks("find a list", "the list \""+listPrefix+segment+"\" is an active one, which takes no members; rename it or delete it")
	}
	l.known[segment] = string(got.List.ListID)
	return l.known[segment], nil
}

// forget drops a list's id.
func (l *lists) forget(segment string) {
	l.turn <- struct{}{}
	delete(l.known, segment)
	<-l.turn
}
