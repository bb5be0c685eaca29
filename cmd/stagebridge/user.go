package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// userCommands are those about who may log in.
func userCommands() []command {
	return []command{
		accessCommand("user list", "", "list who may log in", 0, (*program).listUsers),
		accessCommand("user add", "NAME ROLE", "make a user (viewer, editor or admin) and print the link that sets the password", 2, func(p *program, ctx context.Context, a *app, args []string) error {
			l, err := a.access().AddUser(ctx, args[0], access.Role(args[1]))
			if errors.Is(err, store.ErrExists) {
				return fmt.Errorf("there is a user %s already; 'stagebridge user link %s' gives a new link", args[0], args[0])
			}
			return p.printLink(a, l, err)
		}),
		accessCommand("user link", "NAME", "print a new link that sets the user's password", 1, func(p *program, ctx context.Context, a *app, args []string) error {
			l, err := a.access().NewLink(ctx, args[0])
			return p.printLink(a, l, userError(args[0], err))
		}),
		accessCommand("user role", "NAME ROLE", "change what a user may do and end the user's sessions", 2, func(_ *program, ctx context.Context, a *app, args []string) error {
			return userError(args[0], a.access().SetRole(ctx, args[0], access.Role(args[1])))
		}),
		accessCommand("user remove", "NAME", "take a user away and end the user's sessions", 1, func(_ *program, ctx context.Context, a *app, args []string) error {
			return userError(args[0], a.store.RemoveUser(ctx, args[0]))
		}),
		auditCommand(),
		accessCommand("token list", "", "list the API tokens", 0, (*program).listTokens),
		tokenAddCommand(),
		accessCommand("token remove", "ID", "end an API token", 1, func(_ *program, ctx context.Context, a *app, args []string) error {
			err := a.store.RemoveToken(ctx, args[0])
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("there is no token %s", args[0])
			}
			return err
		}),
	}
}

func accessCommand(name, operands, summary string, n int, fn func(*program, context.Context, *app, []string) error) command {
	c := command{name: name, operands: operands, summary: summary}
	c.run = func(ctx context.Context, p *program, args []string) error {
		args, err := p.parse(c, args, nil, n, n)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return fn(p, ctx, a, args) })
	}
	return c
}

func (a *app) access() *access.Access { return &access.Access{Store: a.store} }

func userError(name string, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("there is no user %s", name)
	case errors.Is(err, store.ErrLastAdmin):
		return fmt.Errorf("%s is the last admin who can log in; make somebody else admin first. Nothing was changed", name)
	}
	return err
}

func (p *program) printLink(a *app, l access.Link, err error) error {
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(a.config.PublicURL, "/")
	if base == "" {
		base = "http://" + a.config.Addr
	}
	_, err = fmt.Fprintf(p.stdout, "%s/setup?token=%s\nIt works once, until %s.\n", base, url.QueryEscape(l.Token.Reveal()), l.Until.UTC().Format("2006-01-02 15:04 UTC"))
	return err
}

func (p *program) listUsers(ctx context.Context, a *app, _ []string) error {
	all, err := a.store.Users(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROLE\tLAST LOGIN")
	for _, u := range all {
		seen := "never"
		if u.Seen != 0 {
			seen = u.Seen.Time().UTC().Format("2006-01-02 15:04")
		}
		if u.Password == "" {
			seen = "waits for the password"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", u.Name, u.Role, seen)
	}
	return w.Flush()
}

func (p *program) listTokens(ctx context.Context, a *app, _ []string) error {
	all, err := a.store.Tokens(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tROLE\tOPENS\tENDS\tLAST USED")
	for _, x := range all {
		opens, ends, seen := "everything", "never", "never"
		if len(x.Areas) > 0 {
			opens = strings.Join(x.Areas, ", ")
		}
		if x.Expires != 0 {
			ends = x.Expires.Time().UTC().Format(time.DateOnly)
		}
		if x.Seen != 0 {
			seen = x.Seen.Time().UTC().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", x.ID, x.Role, opens, ends, seen)
	}
	return w.Flush()
}

func tokenAddCommand() command {
	c := command{name: "token add", operands: "[-days N] [-areas LIST] ID ROLE", summary: "make an API token and print it, this once"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		days, areas := 0, ""
		args, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.IntVar(&days, "days", 0, "how long it works; 0: until it is removed")
			f.StringVar(&areas, "areas", "", "the parts of the API that it opens, with commas, as in profiles,reports; all when empty")
		}, 2, 2)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			in := access.TokenInput{ID: args[0], Role: access.Role(args[1]), Life: time.Duration(days) * 24 * time.Hour, Author: "command line"}
			if areas != "" {
				in.Areas = strings.Split(areas, ",")
			}
			text, _, err := a.access().AddToken(ctx, in)
			if errors.Is(err, store.ErrExists) {
				return fmt.Errorf("there is a token %s already", in.ID)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, text.Reveal())
			return err
		})
	}
	return c
}
