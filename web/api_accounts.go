package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// accountBody is an account.
type accountBody struct {
	Key        string           `json:"key"`
	Name       string           `json:"name"`
	Domain     string           `json:"domain"`
	Stage      string           `json:"stage"`
	StageFound string           `json:"stage_found_at"` // when it was found to be in its stage
	Segments   []string         `json:"segments"`
	People     int64            `json:"people"`
	Sync       []accountSyncRow `json:"sync"`
}

// accountSyncRow is where an account stands at one connection.
type accountSyncRow struct {
	Connection string `json:"connection"`
	State      string `json:"state"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Attempts   int64  `json:"attempts"`
	NextTry    string `json:"next_try"`
	PushedAt   string `json:"pushed_at"`
	VendorID   string `json:"vendor_id"`
}

// apiAccounts lists accounts by stage, or by a part of key or name.
func (w *Web) apiAccounts(c echo.Context) error {
	f := w.accountFilter(c)
	var err error
	if f.Limit, err = limitOf(c); err != nil {
		return err
	}
	found, next, err := w.store.Accounts(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items, err := w.accountsOf(c, found)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list(items, next))
}

func (w *Web) accountsOf(c echo.Context, found []*store.Account) ([]accountBody, error) {
	keys := make([]string, len(found))
	var ask []string // domains of those whose key does not say it
	for i, a := range found {
		keys[i] = a.Key
		if kind, _, _ := lifecycle.AccountKey(a.Key); kind != "domain" {
			ask = append(ask, a.Key)
		}
	}
	sync, err := w.store.AccountSyncOf(c.Request().Context(), keys)
	if err != nil {
		return nil, err
	}
	domains, err := w.store.AccountDomains(c.Request().Context(), ask)
	if err != nil {
		return nil, err
	}
	items := make([]accountBody, len(found))
	for i, a := range found {
		b := accountBody{Key: a.Key, Name: a.Name, Domain: domains[a.Key], Stage: string(a.Stage), StageFound: when(a.Found), People: a.People,
			Segments: spellSegments(a.Segments), Sync: []accountSyncRow{}}
		if kind, _, value := lifecycle.AccountKey(a.Key); kind == "domain" {
			b.Domain = value
		}
		for _, x := range sync[a.Key] {
			b.Sync = append(b.Sync, accountSyncRow{x.Connection, x.State, x.Reason, x.Message, x.Attempts, when(x.Due), when(x.Pushed), x.VendorID})
		}
		items[i] = b
	}
	return items, nil
}

func spellSegments(all []lifecycle.Segment) []string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return names
}

// account loads the account that the path names. Its key may hold a slash, so
// the path is escaped, and Echo gives the parameter of such a path as it is.
func (w *Web) account(c echo.Context) (*store.Account, error) {
	key, err := accountKeyOf(c)
	if err != nil {
		return nil, err
	}
	return w.store.Account(c.Request().Context(), key)
}

// accountKeyOf gives the key in the path.
func accountKeyOf(c echo.Context) (string, error) {
	key := c.Param("key")
	if c.Request().URL.RawPath == "" {
		return key, nil
	}
	text, err := url.PathUnescape(key)
	if err != nil {
		return "", store.ErrNotFound
	}
	return text, nil
}

func (w *Web) apiAccount(c echo.Context) error {
	a, err := w.account(c)
	if err != nil {
		return err
	}
	items, err := w.accountsOf(c, []*store.Account{a})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, items[0])
}

// apiAccountPeople lists the people of an account, as profiles.
func (w *Web) apiAccountPeople(c echo.Context) error {
	a, err := w.account(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	var after int64
	if text := c.QueryParam("next"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return store.ErrCursor
		}
	}
	people, more, err := w.store.AccountPeople(c.Request().Context(), a.Key, lifecycle.ProfileID(after), limit)
	if err != nil {
		return err
	}
	next := ""
	if more {
		next = number(int64(people[len(people)-1].ID))
	}
	return w.showProfiles(c, people, next)
}

// accountMoveBody is a change of an account's stage or segments.
type accountMoveBody struct {
	Seq         int64    `json:"seq"`
	From        string   `json:"from"`
	To          string   `json:"to"`
	At          string   `json:"at"`
	DecidedAt   string   `json:"decided_at"`
	Profile     string   `json:"profile,omitempty"`
	Event       string   `json:"event,omitempty"`
	Condition   string   `json:"condition,omitempty"`
	PlanVersion int64    `json:"plan_version"`
	Entered     []string `json:"entered,omitempty"`
	Exited      []string `json:"exited,omitempty"`
	Kind        string   `json:"kind,omitempty"`
	Skipped     []string `json:"skipped,omitempty"` // stages jumped over
}

// apiAccountTimeline lists an account's moves, newest first; also those of an
// account that nobody belongs to any more.
func (w *Web) apiAccountTimeline(c echo.Context) error {
	key, err := accountKeyOf(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	var before int64
	if text := c.QueryParam("next"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before <= 0 {
			return store.ErrCursor
		}
	}
	moves, err := w.store.AccountMoves(c.Request().Context(), key, before, limit)
	if err != nil {
		return err
	}
	if len(moves) == 0 {
		if _, err := w.store.Account(c.Request().Context(), key); err != nil {
			return err
		}
	}
	items := make([]accountMoveBody, len(moves))
	for i := range moves {
		x := &moves[i]
		items[i] = accountMoveBody{Seq: x.Seq, From: string(x.From), To: string(x.To), At: when(x.At), DecidedAt: when(x.Decided), Profile: number(int64(x.Person)),
			Condition: x.Cause.Condition, PlanVersion: x.Cause.Plan, Entered: spellSegments(x.Cause.Entered), Exited: spellSegments(x.Cause.Exited), Kind: string(x.Cause.Kind)}
		for _, s := range x.Cause.Skipped {
			items[i].Skipped = append(items[i].Skipped, string(s))
		}
		if x.Event != (lifecycle.EventID{}) {
			items[i].Event = x.Event.String()
		}
	}
	next := ""
	if n := len(items); n > 0 && items[n-1].Seq > 1 && n == limit {
		next = number(items[n-1].Seq)
	}
	return c.JSON(http.StatusOK, list(items, next))
}

// accountWhyBody says why an account is where it is.
type accountWhyBody struct {
	Key       string              `json:"key"`
	Stage     string              `json:"stage"`
	Found     string              `json:"found_at"` // when it was found to be in its stage
	Condition string              `json:"condition"`
	Settled   bool                `json:"settled"`
	People    int64               `json:"people"`
	Stages    []accountReasonBody `json:"stages"`
	Segments  []accountReasonBody `json:"segments"`
	Plan      int64               `json:"plan_version"`
}

// accountReasonBody is a condition on accounts with what it came to.
type accountReasonBody struct {
	Name      string            `json:"name"`
	Condition string            `json:"condition"`
	Holds     bool              `json:"holds"`
	Parts     []accountPartBody `json:"parts"`
}

// accountPartBody is one part of it.
type accountPartBody struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
	// Have is the number behind it: of people, or money of a currency.
	Have string `json:"have,omitempty"`
	Unit string `json:"unit,omitempty"`
}

func (w *Web) apiExplainAccount(c echo.Context) error {
	a, err := w.account(c)
	if err != nil {
		return err
	}
	x, plan, err := w.registry.ExplainAccount(a)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, accountWhyBody{Key: a.Key, Stage: string(a.Stage), Found: when(a.Found), Condition: x.Condition, Settled: x.Settled,
		People: a.People, Stages: accountReasons(x.Stages), Segments: accountReasons(x.Segments), Plan: plan.Version()})
}

func accountReasons(all []lifecycle.AccountReason) []accountReasonBody {
	out := make([]accountReasonBody, len(all))
	for i, r := range all {
		out[i] = accountReasonBody{Name: r.Name, Condition: r.Condition, Holds: r.Holds, Parts: []accountPartBody{}}
		for _, p := range r.Parts {
			b := accountPartBody{Text: p.Text, Holds: p.Holds, Unit: p.Unit}
			switch p.Unit {
			case "":
			case "people":
				b.Have = strconv.FormatInt(p.Have, 10)
			default:
				b.Have = decimal(p.Have)
			}
			out[i].Parts = append(out[i].Parts, b)
		}
	}
	return out
}

// accountRetryInput names the accounts to try again.
type accountRetryInput struct {
	Connection string `json:"connection"`
	State      string `json:"state"`
	DryRun     bool   `json:"dry_run"`
}

// apiRetryAccounts makes failed accounts due again.
func (w *Web) apiRetryAccounts(c echo.Context) error {
	var in accountRetryInput
	if err := decode(c, &in); err != nil {
		return err
	}
	n, err := w.admin.RetryAccounts(c.Request().Context(), in.Connection, in.State, in.DryRun)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, countBody{n, in.DryRun})
}
