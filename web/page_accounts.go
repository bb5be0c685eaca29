package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// accountsPage answers: which companies do people belong to, and where do those
// stand?
type accountsPage struct {
	Query, Stage string
	// Planned: the plan in force is about accounts.
	Planned bool
	Stages  []lifecycle.AccountStageInfo
	Rows    []*store.Account
	// First: this is the beginning of the list.
	First bool
	Next  string
}

// accountViewPage answers: who is this company, and why is it here?
type accountViewPage struct {
	Account *store.Account
	// Gone: nobody belongs to it any more, and only its moves are kept.
	Gone   bool
	Domain string
	// Kind and Of say how the account was found: by a domain, by the id that the
	// connection Of told, by the trait Of.
	Kind, Of string
	Explain  lifecycle.AccountExplanation
	Plan     int64
	// Here is the stage of Explain that the account has; nil where it has none by
	// the plan. Others are the other stages in the order of the plan.
	Here   *lifecycle.AccountReason
	Others []lifecycle.AccountReason
	People []*store.Person
	More   string
	Moves  []store.AccountMove
	Older  string
	Sync   []store.AccountSync
}

// Rows of the lists of one account that a page shows.
const (
	accountPeopleRows = 25
	accountMoveRows   = 20
)

func (w *Web) accountsPage(c echo.Context) error {
	plan := w.registry.Config().Plan
	f := w.accountFilter(c)
	body := accountsPage{Query: f.Search, Stage: string(f.Stage), Planned: plan.HasAccounts(), Stages: plan.AccountStages(), First: f.After == ""}
	var next string
	var err error
	if body.Rows, next, err = w.store.Accounts(c.Request().Context(), f); err != nil {
		return err
	}
	if next != "" {
		body.Next = link("/accounts", "q", body.Query, "stage", body.Stage, "next", next)
	}
	return w.render(c, http.StatusOK, "accounts", "Accounts", body)
}

// accountFilter reads stage, q and the cursor.
func (w *Web) accountFilter(c echo.Context) store.AccountFilter {
	f := store.AccountFilter{Stage: lifecycle.Stage(c.QueryParam("stage")), Search: strings.TrimSpace(c.QueryParam("q")), After: c.QueryParam("next")}
	if f.Search == "" {
		return f
	}
	text := strings.ToLower(f.Search)
	f.Begin = []string{f.Search}
	for _, by := range w.registry.Config().Plan.AccountBy() {
		switch {
		case by == "domain":
			f.Begin = append(f.Begin, "domain:"+text)
		case by == "group":
			for _, id := range w.registry.IDs() {
				f.Begin = append(f.Begin, "group:"+id+":"+f.Search)
			}
		default:
			f.Begin = append(f.Begin, by+":"+f.Search)
		}
	}
	return f
}

func (w *Web) accountViewPage(c echo.Context) error {
	ctx := c.Request().Context()
	a, err := w.account(c)
	if isNotFound(err) {
		return w.accountGonePage(c)
	}
	if err != nil {
		return err
	}
	x, plan, err := w.registry.ExplainAccount(a)
	if err != nil {
		return err
	}
	body := accountViewPage{Account: a, Explain: x, Plan: plan.Version()}
	body.split()
	if err := w.describeAccount(c, &body); err != nil {
		return err
	}
	if err := w.fillAccountPeople(c, &body); err != nil {
		return err
	}
	if err := w.fillAccountMoves(c, &body); err != nil {
		return err
	}
	sync, err := w.store.AccountSyncOf(ctx, []string{a.Key})
	if err != nil {
		return err
	}
	body.Sync = sync[a.Key]
	title := a.Name
	if title == "" {
		title = a.Key
	}
	return w.render(c, http.StatusOK, "account_view", "Account "+title, body)
}

// accountGonePage shows where an account has been that nobody belongs to any more.
func (w *Web) accountGonePage(c echo.Context) error {
	key, err := accountKeyOf(c)
	if err != nil {
		return err
	}
	body := accountViewPage{Account: &store.Account{Key: key}, Gone: true}
	if err := w.fillAccountMoves(c, &body); err != nil {
		return err
	}
	if len(body.Moves) == 0 {
		return store.ErrNotFound
	}
	return w.render(c, http.StatusOK, "account_view", "Account "+key, body)
}

// split parts the stage that the account has from the others.
func (b *accountViewPage) split() {
	for i := range b.Explain.Stages {
		if s := &b.Explain.Stages[i]; s.Name == string(b.Account.Stage) {
			b.Here = s
		} else {
			b.Others = append(b.Others, *s)
		}
	}
}

// describeAccount says how the account was found, and its domain.
func (w *Web) describeAccount(c echo.Context, b *accountViewPage) error {
	var value string
	b.Kind, b.Of, value = lifecycle.AccountKey(b.Account.Key)
	if b.Kind == "domain" {
		b.Domain = value
		return nil
	}
	domains, err := w.store.AccountDomains(c.Request().Context(), []string{b.Account.Key})
	b.Domain = domains[b.Account.Key]
	return err
}

func (w *Web) fillAccountPeople(c echo.Context, b *accountViewPage) error {
	after, err := cursorOf(c, "next")
	if err != nil {
		return err
	}
	var more bool
	b.People, more, err = w.store.AccountPeople(c.Request().Context(), b.Account.Key, lifecycle.ProfileID(after), accountPeopleRows)
	if more {
		b.More = link(accountPath(b.Account.Key), "next", number(int64(b.People[len(b.People)-1].ID))) + "#people"
	}
	return err
}

func (w *Web) fillAccountMoves(c echo.Context, b *accountViewPage) error {
	before, err := cursorOf(c, "before")
	if err != nil {
		return err
	}
	b.Moves, err = w.store.AccountMoves(c.Request().Context(), b.Account.Key, before, accountMoveRows)
	if n := len(b.Moves); n == accountMoveRows && b.Moves[n-1].Seq > 1 {
		b.Older = link(accountPath(b.Account.Key), "before", number(b.Moves[n-1].Seq)) + "#moves"
	}
	return err
}

// cursorOf reads a number that a list goes on behind; zero: from its beginning.
func cursorOf(c echo.Context, name string) (int64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, store.ErrCursor
	}
	return n, nil
}
