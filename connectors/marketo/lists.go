package marketo

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// missingLife is how long a list is believed not to be there: nobody can be
// taken off it, so that it need not be asked for with every push.
const missingLife = 10 * time.Minute

// staticLists knows the static lists that segments are, by name.
type staticLists struct {
	api                *api
	folder, folderType string

	mu      sync.Mutex
	ids     map[string]int64
	missing map[string]time.Time // until when
}

// find gives the number of a list; 0 when there is none. With create it is
// made where a folder for it is known.
func (s *staticLists) find(ctx context.Context, name string, create bool) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.ids[name]; id != 0 || !create && s.api.now().Before(s.missing[name]) {
		return id, nil
	}
	type named struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	found, _, err := list[named](ctx, s.api, "find a static list", http.MethodGet, "/rest/v1/lists.json?"+url.Values{"name": {name}}.Encode(), nil)
	if err != nil && !hasReason(err, connectors.ReasonNotFound) {
		return 0, ofSettings(err)
	}
	found = slices.DeleteFunc(found, func(l named) bool { return l.Name != name })
	if len(found) == 0 && create && s.folder != "" {
		found, _, err = list[named](ctx, s.api, "create a static list", http.MethodPost, "/rest/asset/v1/staticLists.json", url.Values{
			"name": {name}, "folder": {`{"id":` + s.folder + `,"type":"` + s.folderType + `"}`},
		})
		if err != nil {
			return 0, ofSettings(err)
		}
	}
	if s.ids == nil {
		s.ids, s.missing = map[string]int64{}, map[string]time.Time{}
	}
	if len(found) == 0 {
		s.missing[name] = s.api.now().Add(missingLife)
		return 0, nil
	}
	s.ids[name] = found[0].ID
	return found[0].ID, nil
}

func (s *staticLists) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids, s.missing = nil, nil
}

// listName is the static list of a segment.
func (c *Connector) listName(segment string) string { return c.listPrefix + segment }

// writeLists puts people on the lists of their segments and takes them off
// those of the managed set that they are not in. No other list is named.
func (p *push) writeLists(ctx context.Context) {
	gone := p.changeLists(ctx, p.open())
	if len(gone) == 0 {
		return
	}
	p.forgetNumbers(ctx, gone)
	p.writeAddressed(ctx)
	for _, t := range p.changeLists(ctx, slices.DeleteFunc(gone, isDone)) {
		t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotFound, Message: "Marketo no longer has the person under this number"})
	}
}

// changeLists makes the changes of some tasks, and gives back those whose number
// Marketo no longer has.
func (p *push) changeLists(ctx context.Context, tasks []*task) (gone []*task) {
	p.number(ctx)
	type change struct{ add, remove []*task }
	changes := map[string]*change{}
	named := func(segment string) *change {
		if changes[segment] == nil {
			changes[segment] = &change{}
		}
		return changes[segment]
	}
	for _, t := range tasks {
		for _, s := range t.add {
			named(s).add = append(named(s).add, t)
		}
		for _, s := range t.remove {
			named(s).remove = append(named(s).remove, t)
		}
	}
	for _, segment := range slices.Sorted(maps.Keys(changes)) {
		for _, way := range []struct {
			method string
			tasks  []*task
		}{{http.MethodPost, changes[segment].add}, {http.MethodDelete, changes[segment].remove}} {
			there := slices.DeleteFunc(way.tasks, func(t *task) bool { return slices.Contains(gone, t) })
			gone = append(gone, p.writeList(ctx, segment, way.method, there)...)
		}
	}
	return gone
}

// number finds the numbers of people who are still known by address only.
func (p *push) number(ctx context.Context) {
	tasks := slices.DeleteFunc(p.open(), func(t *task) bool { return t.id != "" || len(t.add)+len(t.remove) == 0 })
	if len(tasks) == 0 || p.rest(tasks) {
		return
	}
	ids, err := p.c.idsByEmail(ctx, tasks)
	if err != nil {
		p.fail(tasks, err)
		return
	}
	for _, t := range tasks {
		if t.id = ids[strings.ToLower(t.email)]; t.id == "" {
			t.end(notThere())
		}
	}
}

// writeList adds people to one list (POST) or takes them off it (DELETE), and
// gives back those whose number is gone.
func (p *push) writeList(ctx context.Context, segment, method string, tasks []*task) (gone []*task) {
	if tasks = slices.DeleteFunc(tasks, isDone); len(tasks) == 0 || p.rest(tasks) {
		return nil
	}
	name := p.c.listName(segment)
	id, err := p.c.lists.find(ctx, name, method == http.MethodPost)
	switch {
	case err != nil:
		p.fail(tasks, err)
		return nil
	case id == 0 && method == http.MethodDelete:
		return nil // nobody is on a list that is not there
	case id == 0:
		for _, t := range tasks {
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonSettings, Message: "Marketo has no static list " + name + ", and list_folder, where it would be made, is not set"})
		}
		return nil
	}
	for part := range slices.Chunk(tasks, maxBatch) {
		if p.rest(part) {
			continue
		}
		query, byID := url.Values{}, map[string]*task{}
		for _, t := range part {
			query.Add("id", t.id)
			byID[t.id] = t
		}
		path := "/rest/v1/lists/" + strconv.FormatInt(id, 10) + "/leads.json?" + query.Encode()
		records, _, err := list[record](ctx, p.c.api, "change a static list", method, path, nil)
		if err != nil {
			p.fail(part, ofSettings(err))
			continue
		}
		gone = append(gone, p.settleList(records, byID)...)
	}
	return gone
}

// settleList reads who is on the list now, or off it, and gives back those whose
// number is gone. Whoever the answer does not tell of is to be sent again.
func (p *push) settleList(records []record, byID map[string]*task) (gone []*task) {
	for _, r := range records {
		id := strconv.FormatInt(r.ID, 10)
		t := byID[id]
		if t == nil {
			continue
		}
		delete(byID, id)
		why := r.why()
		switch {
		case r.Status == "added", r.Status == "removed", r.Status == "memberof", r.Status == "notmemberof",
			why.Code == "1015": // off a list that the person was not on
			p.arrived = true
		case why.Code == "1004":
			gone = append(gone, t)
		default:
			e := p.c.api.coded(why)
			e.Message = connectors.Words(e.Message, p.c.api.hide...)
			t.end(e.Result())
		}
	}
	for _, t := range byID {
		t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonBadAnswer, Message: "the answer does not tell of this person"})
	}
	return gone
}
