package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// profileBody is a person.
type profileBody struct {
	ID         string   `json:"id"`
	Keys       []string `json:"keys"`
	Stage      string   `json:"stage"`
	StageSince string   `json:"stage_since"`
	// Lifecycles are those beside the main one that the person is in, by id.
	Lifecycles map[string]standingBody `json:"lifecycles,omitempty"`
	Segments   []string                `json:"segments"`
	Traits     map[string]any          `json:"traits"`
	Value      map[string]string       `json:"value"`
	FirstSeen  string                  `json:"first_seen"`
	LastSeen   string                  `json:"last_seen"`
	Sync       []personSyncBody        `json:"sync"`
	// Account is the key of the account the person belongs to; told of one
	// person only, not in lists.
	Account string `json:"account,omitempty"`
}

// personSyncBody is where a person stands at one connection.
type personSyncBody struct {
	Connection string `json:"connection"`
	State      string `json:"state"`
	PushedAt   string `json:"pushed_at"`
	Error      string `json:"error"`
}

func (w *Web) profileOf(p *store.Person, prof *lifecycle.Profile, sync []store.Sync) profileBody {
	b := profileBody{ID: number(int64(p.ID)), Keys: append([]string{}, p.Keys...), Stage: string(prof.Stage), StageSince: when(prof.Since),
		Segments: []string{}, Traits: prof.Values(), Value: map[string]string{}, FirstSeen: when(prof.FirstSeen), LastSeen: when(prof.LastSeen),
		Sync: []personSyncBody{}, Lifecycles: standingsOf(prof)}
	for _, name := range prof.SegmentNames() {
		b.Segments = append(b.Segments, string(name))
	}
	for _, m := range w.registry.Config().PlanOf(p.ID).Value(prof) {
		b.Value[m.Currency] = decimal(m.Micros)
	}
	for _, x := range sync {
		b.Sync = append(b.Sync, personSyncBody{x.Connection, x.State, when(x.Pushed), syncError(&x)})
	}
	return b
}

// syncError says why a delivery did not succeed; "" when it did.
func syncError(x *store.Sync) string {
	if x.State == store.SyncSynced {
		return ""
	}
	if x.Reason != "" && x.Message != "" {
		return x.Reason + ": " + x.Message
	}
	return x.Reason + x.Message
}

// decimal spells millionths as a decimal text with two to six digits behind
// the point.
func decimal(micros int64) string {
	sign, whole, rest := "", micros/1e6, micros%1e6
	if micros < 0 {
		sign, whole, rest = "-", -whole, -rest
	}
	digits := fmt.Sprintf("%06d", rest)
	digits = digits[:2] + strings.TrimRight(digits[2:], "0")
	return sign + strconv.FormatInt(whole, 10) + "." + digits
}

// number spells an id; "" for none.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// apiProfiles lists people: by key, stage, segment or the beginning of a key.
func (w *Web) apiProfiles(c echo.Context) error {
	ctx := c.Request().Context()
	if key := c.QueryParam("key"); key != "" {
		p, err := w.store.PersonByKey(ctx, normalKey(key))
		if isNotFound(err) {
			return c.JSON(http.StatusOK, list[profileBody](nil, ""))
		}
		if err != nil {
			return err
		}
		return w.showProfiles(c, []*store.Person{p}, "")
	}
	f, err := w.peopleFilter(c)
	if err != nil {
		return err
	}
	page, err := w.store.People(ctx, f)
	if err != nil {
		return err
	}
	return w.showProfiles(c, page.People, page.Next)
}

// peopleFilter reads stage, segment and q, of which one may be given; lifecycle
// says which one the stage is of.
func (w *Web) peopleFilter(c echo.Context) (store.PeopleFilter, error) {
	f := store.PeopleFilter{Stage: lifecycle.Stage(c.QueryParam("stage")), Segment: lifecycle.Segment(c.QueryParam("segment")), After: c.QueryParam("next")}
	if f.Lifecycle = c.QueryParam("lifecycle"); f.Lifecycle == lifecycle.MainLifecycle {
		f.Lifecycle = ""
	}
	if f.Lifecycle != "" && f.Stage == "" {
		return f, badRequest("stage", "is missing; lifecycle says which one it is of")
	}
	q := strings.TrimSpace(c.QueryParam("q"))
	given := 0
	for _, v := range []string{string(f.Stage), string(f.Segment), q} {
		if v != "" {
			given++
		}
	}
	if given > 1 {
		return f, badRequest("stage, segment, q", "cannot be combined; name one")
	}
	if q != "" {
		f.Prefixes = w.prefixes(q)
	}
	var err error
	f.Limit, err = limitOf(c)
	return f, err
}

// prefixes are the beginnings of keys that a search text may mean: itself
// where it names a kind of key, else that text in every kind.
func (w *Web) prefixes(q string) []string {
	kinds := map[string]bool{lifecycle.NamespaceEmail: true, lifecycle.NamespaceUser: true, lifecycle.NamespacePhone: true, lifecycle.NamespaceAnonymous: true}
	for _, id := range w.registry.IDs() {
		kinds[id] = true
	}
	if kind, value, ok := strings.Cut(q, ":"); ok && (kinds[kind] || value != "") {
		if kind == lifecycle.NamespaceEmail {
			value = strings.ToLower(value)
		}
		return []string{kind + ":" + value}
	}
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		value := q
		if kind == lifecycle.NamespaceEmail {
			value = strings.ToLower(value)
		}
		all = append(all, kind+":"+value)
	}
	return all
}

// normalKey brings a key that a person typed into the form in which it is kept.
func normalKey(text string) string {
	kind, value, _ := strings.Cut(text, ":")
	if k, ok := lifecycle.NormaliseKey(kind, value); ok {
		return k.String()
	}
	return text
}

func (w *Web) showProfiles(c echo.Context, people []*store.Person, next string) error {
	ids := make([]lifecycle.ProfileID, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	sync, err := w.store.SyncOf(c.Request().Context(), ids)
	if err != nil {
		return err
	}
	items := make([]profileBody, len(people))
	for i, p := range people {
		prof, err := lifecycle.DecodeProfile(p.State)
		if err != nil {
			return fmt.Errorf("web: profile %d: %w", p.ID, err)
		}
		items[i] = w.profileOf(p, prof, sync[p.ID])
	}
	return c.JSON(http.StatusOK, list(items, next))
}

// person loads the person that the path names, who may be a survivor.
func (w *Web) person(c echo.Context) (*store.Person, *lifecycle.Profile, error) {
	id, err := numberOf(c)
	if err != nil {
		return nil, nil, err
	}
	p, err := w.store.Person(c.Request().Context(), lifecycle.ProfileID(id))
	if err != nil {
		return nil, nil, err
	}
	prof, err := lifecycle.DecodeProfile(p.State)
	if err != nil {
		return nil, nil, fmt.Errorf("web: profile %d: %w", p.ID, err)
	}
	return p, prof, nil
}

func (w *Web) apiProfile(c echo.Context) error {
	p, prof, err := w.person(c)
	if err != nil {
		return err
	}
	sync, err := w.store.SyncOf(c.Request().Context(), []lifecycle.ProfileID{p.ID})
	if err != nil {
		return err
	}
	b := w.profileOf(p, prof, sync[p.ID])
	if b.Account, err = w.store.AccountOf(c.Request().Context(), p.ID); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, b)
}

// timelineBody is one thing that happened; Kind says which member is set.
type timelineBody struct {
	At    string          `json:"at"`   // of a move with told_only: when it was decided
	Kind  string          `json:"kind"` // event, move, push
	Event *eventBody      `json:"event,omitempty"`
	Move  *moveBody       `json:"move,omitempty"`
	Push  *personSyncBody `json:"push,omitempty"`
}

// moveBody is a change of stage or segments, with its cause.
type moveBody struct {
	Profile     string   `json:"profile"`
	Seq         int64    `json:"seq"`
	Lifecycle   string   `json:"lifecycle,omitempty"` // missing: the main one
	From        string   `json:"from"`
	To          string   `json:"to"`
	Kind        string   `json:"kind"`
	At          string   `json:"at"`
	DecidedAt   string   `json:"decided_at"`
	Event       string   `json:"event,omitempty"`
	Inbox       string   `json:"inbox,omitempty"`
	Condition   string   `json:"condition,omitempty"`
	PlanVersion int64    `json:"plan_version"`
	Entered     []string `json:"entered,omitempty"`
	Exited      []string `json:"exited,omitempty"`
	Skipped     []string `json:"skipped,omitempty"` // path stages jumped over
	// ToldOnly: decided and announced at decided_at, and not part of the history as
	// it stands now.
	ToldOnly bool `json:"told_only,omitempty"`
}

func moveOf(x *store.Transition) moveBody {
	b := moveBody{Profile: number(int64(x.Person)), Seq: x.Seq, Lifecycle: x.Lifecycle, From: string(x.From), To: string(x.To), Kind: x.Kind, At: when(x.At), DecidedAt: when(x.Decided),
		Event: x.Cause.Event, Inbox: number(x.Cause.Inbox), Condition: x.Cause.Condition, PlanVersion: x.Cause.Plan, ToldOnly: !x.History}
	for _, s := range x.Cause.Entered {
		b.Entered = append(b.Entered, string(s))
	}
	for _, s := range x.Cause.Exited {
		b.Exited = append(b.Exited, string(s))
	}
	for _, s := range x.Cause.Skipped {
		b.Skipped = append(b.Skipped, string(s))
	}
	return b
}

func (w *Web) apiTimeline(c echo.Context) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	found, next, err := w.store.Timeline(c.Request().Context(), p.ID, c.QueryParam("next"), limit)
	if err != nil {
		return err
	}
	items := make([]timelineBody, len(found))
	for i := range found {
		items[i] = timelineOf(&found[i])
	}
	return c.JSON(http.StatusOK, list(items, next))
}

func timelineOf(it *store.TimelineItem) timelineBody {
	b := timelineBody{At: when(it.At)}
	switch {
	case it.Event != nil:
		e := eventOf(it.Event)
		b.Kind, b.Event = "event", &e
	case it.Move != nil:
		m := moveOf(it.Move)
		b.Kind, b.Move = "move", &m
	default:
		b.Kind, b.Push = "push", &personSyncBody{it.Push.Connection, it.Push.State, when(it.Push.Pushed), syncError(it.Push)}
	}
	return b
}
