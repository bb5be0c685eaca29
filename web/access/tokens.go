package access

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// tokenPrefix lets people, and tools that look for leaked secrets, see what a
// text is.
const tokenPrefix = "sbt_"

// tokenSeen is how exactly a token's last use is written down.
const tokenSeen = time.Minute

// mostTokenLife bounds how long a token may work: a hundred years.
const mostTokenLife = 100 * 365 * 24 * time.Hour

var (
	tokenID   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	tokenArea = regexp.MustCompile(`^[a-z][a-z-]{0,39}$`)
)

// TokenInput says what a new token opens.
type TokenInput struct {
	// ID names it.
	ID   string
	Role Role
	// Areas are the first parts of paths below /api/v1 that it opens, for example
	// profiles; empty: all.
	Areas []string
	// Life is how long it works; zero: until it is taken away.
	Life   time.Duration
	Author string
}

// AddToken makes a token. Its text is shown this once. The error is a
// *FieldError, or store.ErrExists.
func (a *Access) AddToken(ctx context.Context, in TokenInput) (secret.Text, store.Token, error) {
	if err := in.check(); err != nil {
		return secret.Text{}, store.Token{}, err
	}
	text, err := random()
	if err != nil {
		return secret.Text{}, store.Token{}, err
	}
	text = tokenPrefix + text
	x := store.Token{ID: in.ID, Role: string(in.Role), Areas: in.Areas, Author: in.Author, Created: lifecycle.At(a.now())}
	if in.Life > 0 {
		x.Expires = lifecycle.At(a.now().Add(in.Life))
	}
	if err := a.Store.AddToken(ctx, x, Hash(text)); err != nil {
		return secret.Text{}, store.Token{}, err
	}
	return secret.New(text), x, nil
}

func (in *TokenInput) check() error {
	if !tokenID.MatchString(in.ID) {
		return &FieldError{"id", fmt.Sprintf("is %q, want up to 40 small letters, digits and -", in.ID)}
	}
	if _, err := ParseRole(string(in.Role)); err != nil {
		return err
	}
	if in.Life < 0 || in.Life > mostTokenLife {
		return &FieldError{"days", "is negative or longer than a hundred years"}
	}
	if len(in.Areas) > 20 {
		return &FieldError{"areas", "are more than 20"}
	}
	for _, area := range in.Areas {
		if !tokenArea.MatchString(area) {
			return &FieldError{"areas", fmt.Sprintf("has %q, want the first part of a path below /api/v1, as in profiles", area)}
		}
	}
	return nil
}

// Holder is who a request comes from.
type Holder struct {
	// Name stands as author of what is changed.
	Name  string
	Role  Role
	areas []string
}

// Reaches tells whether an area, the first part of a path below /api/v1, is
// open.
func (h *Holder) Reaches(area string) bool {
	return len(h.areas) == 0 || slices.Contains(h.areas, area)
}

// Holder gives whose token a text is; store.ErrNotFound for none, and for one
// that has ended.
func (a *Access) Holder(ctx context.Context, text string) (Holder, error) {
	if !strings.HasPrefix(text, tokenPrefix) || len(text) > 100 {
		return Holder{}, store.ErrNotFound
	}
	x, err := a.Store.TokenOf(ctx, Hash(text))
	if err != nil {
		return Holder{}, err
	}
	now := a.now()
	if x.Expires != 0 && !now.Before(x.Expires.Time()) {
		return Holder{}, fmt.Errorf("access: the token %s has ended: %w", x.ID, store.ErrNotFound)
	}
	if now.Sub(x.Seen.Time()) >= tokenSeen {
		// Not worth refusing a request for.
		if err := a.Store.SeeToken(context.WithoutCancel(ctx), x.ID); err != nil && !errors.Is(err, store.ErrAway) {
			return Holder{}, err
		}
	}
	return Holder{Name: "token " + x.ID, Role: Role(x.Role), areas: x.Areas}, nil
}
