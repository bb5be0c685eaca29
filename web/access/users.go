package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Access keeps users and tokens. It is safe for concurrent use.
type Access struct {
	Store *store.Store
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// linkLife is how long a link to set a password works.
const linkLife = 7 * 24 * time.Hour

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._+@-]{0,99}$`)

func (a *Access) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

// Link is a secret that sets a password once, and when it ends.
type Link struct {
	Token secret.Text
	Until time.Time
}

// AddUser makes a user, who sets a password by the link. The error is a
// *FieldError, or store.ErrExists.
func (a *Access) AddUser(ctx context.Context, name string, role Role) (Link, error) {
	if !userName.MatchString(name) {
		return Link{}, &FieldError{"name", fmt.Sprintf("is %q, want up to 100 small letters, digits and . _ + @ -", name)}
	}
	if _, err := ParseRole(string(role)); err != nil {
		return Link{}, err
	}
	if err := a.Store.AddUser(ctx, store.User{Name: name, Role: string(role)}); err != nil {
		return Link{}, err
	}
	return a.NewLink(ctx, name)
}

// NewLink gives a user a link to set a new password; the old password works
// until it is used. store.ErrNotFound when there is no such user.
func (a *Access) NewLink(ctx context.Context, name string) (Link, error) {
	text, err := random()
	if err != nil {
		return Link{}, err
	}
	l := Link{secret.New(text), a.now().Add(linkLife).Truncate(time.Second)}
	return l, a.Store.Invite(ctx, name, Hash(text), lifecycle.At(l.Until))
}

// Invited gives the user whose link it is; store.ErrNotFound for one that is
// used up, ended or wrong.
func (a *Access) Invited(ctx context.Context, link string) (store.User, error) {
	if len(link) > 100 {
		return store.User{}, store.ErrNotFound
	}
	return a.Store.Invited(ctx, Hash(link))
}

// SetRole changes what a user may do from now on. store.ErrLastAdmin when
// nobody would be left who may everything.
func (a *Access) SetRole(ctx context.Context, name string, role Role) error {
	if _, err := ParseRole(string(role)); err != nil {
		return err
	}
	return a.Store.SetRole(ctx, name, string(role))
}

// Hash is what is stored of a secret that is random, and so need not be
// stretched.
func Hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func random() (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("access: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
