package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// accountCommand says where an account stands and why.
func accountCommand() command {
	c := command{name: "account", operands: "KEY", summary: "say why an account (example.com, domain:example.com, group:hubspot-eu:51) has a stage, and who belongs to it"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		keys, err := p.parse(c, args, nil, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			key := keys[0]
			if !strings.Contains(key, ":") {
				key = "domain:" + strings.ToLower(key)
			}
			account, err := a.store.Account(ctx, key)
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("nobody belongs to the account %s", key)
			}
			if err != nil {
				return err
			}
			return a.explainAccount(ctx, p.stdout, account)
		})
	}
	return c
}

// Lines of people and moves that the command shows.
const (
	accountPeopleShown = 10
	accountMovesShown  = 10
)

func (a *app) explainAccount(ctx context.Context, out io.Writer, account *store.Account) error {
	x, plan, err := a.registry.ExplainAccount(account)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "account %s", account.Key)
	if account.Name != "" {
		fmt.Fprintf(out, " (%s)", account.Name)
	}
	fmt.Fprintf(out, ": %d people\n\nstage: %s, found %s, by plan version %d\n", account.People, account.Stage, when(account.Found), plan.Version())
	if !x.Settled {
		fmt.Fprintln(out, "  some of its people are still to be brought to the plan; the stage is that of before")
	}
	for _, list := range []struct {
		title string
		all   []lifecycle.AccountReason
	}{{"stages, of which the last that holds counts", x.Stages}, {"segments", x.Segments}} {
		if len(list.all) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s:\n", list.title)
		for _, r := range list.all {
			fmt.Fprintf(out, "  %s %s\n", mark(r.Holds), r.Name)
			for _, part := range r.Parts {
				fmt.Fprintf(out, "      %s %s%s\n", mark(part.Holds), part.Text, accountNumber(part))
			}
		}
	}
	if err := a.accountPeople(ctx, out, account); err != nil {
		return err
	}
	return a.accountPast(ctx, out, account)
}

func mark(holds bool) string {
	if holds {
		return "yes"
	}
	return "no "
}

func accountNumber(p lifecycle.AccountPart) string {
	switch p.Unit {
	case "":
		return ""
	case "people":
		return fmt.Sprintf("  (now %d)", p.Have)
	}
	return fmt.Sprintf("  (now %.2f %s)", float64(p.Have)/1e6, p.Unit)
}

func (a *app) accountPeople(ctx context.Context, out io.Writer, account *store.Account) error {
	people, more, err := a.store.AccountPeople(ctx, account.Key, 0, accountPeopleShown)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\npeople:")
	for _, p := range people {
		key := ""
		if len(p.Keys) > 0 {
			key = p.Keys[0]
		}
		fmt.Fprintf(out, "  %d  %s  %s\n", p.ID, key, p.Stage)
	}
	if more {
		fmt.Fprintf(out, "  and %d others\n", account.People-int64(len(people)))
	}
	return nil
}

// accountPast prints where the account has been and where it stands at vendors.
func (a *app) accountPast(ctx context.Context, out io.Writer, account *store.Account) error {
	moves, err := a.store.AccountMoves(ctx, account.Key, 0, accountMovesShown)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nmoves, newest first:")
	for _, x := range moves {
		fmt.Fprintf(out, "  %s  %s -> %s  %s", when(x.At), x.From, x.To, x.Cause.Kind)
		if x.Person != 0 {
			fmt.Fprintf(out, "  (person %d)", x.Person)
		}
		fmt.Fprintln(out)
	}
	sync, err := a.store.AccountSyncOf(ctx, []string{account.Key})
	if err != nil {
		return err
	}
	for i, x := range sync[account.Key] {
		if i == 0 {
			fmt.Fprintln(out, "\nat connections:")
		}
		fmt.Fprintf(out, "  %s: %s %s %s\n", x.Connection, x.State, x.Reason, x.Message)
	}
	return nil
}
