package access

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// OIDC lets people log in through an identity provider, by the authorization
// code flow with PKCE. The provider is asked for its addresses at the first
// login, so that the server starts while it is away.
type OIDC struct {
	Issuer, ClientID string
	ClientSecret     secret.Text
	// Redirect is the address to which the provider sends people back.
	Redirect string
	// RoleClaim names the claim that holds a text or a list of them; Roles says
	// which role each of them gives. The highest counts.
	RoleClaim string
	Roles     map[string]Role
	Scopes    []string
	// HTTP asks the provider; nil is a client that reaches the open internet only.
	HTTP *http.Client

	mu       sync.Mutex
	provider *oidc.Provider
}

// Check says what is wrong with the settings.
func (o *OIDC) Check() error {
	if o.ClientID == "" || o.Redirect == "" {
		return errors.New("access: an identity provider needs a client id and the public address of this server")
	}
	if o.RoleClaim == "" || len(o.Roles) == 0 {
		return errors.New("access: say which role the values of a claim give, or nobody could log in through the identity provider")
	}
	for value, role := range o.Roles {
		if _, err := ParseRole(string(role)); err != nil {
			return fmt.Errorf("access: the role for %q: %w", value, err)
		}
	}
	return nil
}

// attempt is one login under way. It is kept in a cookie of the browser that
// began it.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
}

// LoginError says why a login through the provider did not go through. Detail is
// for the person, Err for the log.
type LoginError struct {
	Detail string
	Err    error
}

// Error implements error.
func (e *LoginError) Error() string {
	if e.Err == nil {
		return "access: login: " + e.Detail
	}
	return "access: login: " + e.Detail + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *LoginError) Unwrap() error { return e.Err }

func (o *OIDC) client(ctx context.Context) context.Context {
	c := o.HTTP
	if c == nil {
		c = connectors.NewClient(connectors.ClientOptions{Timeout: 10 * time.Second}).HTTP()
	}
	return oidc.ClientContext(ctx, c)
}

func (o *OIDC) discovered(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider == nil {
		// The provider fetches its keys for as long as it lives, so not under a
		// request's context.
		p, err := oidc.NewProvider(o.client(context.WithoutCancel(ctx)), o.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("access: the identity provider cannot be asked: %w", err)
		}
		o.provider = p
	}
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = []string{oidc.ScopeOpenID, "email", "profile"}
	}
	return o.provider, &oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Endpoint: o.provider.Endpoint(), RedirectURL: o.Redirect, Scopes: scopes}, nil
}

// Begin gives the address to send a person to, and the text to keep in the
// person's browser until Finish.
func (o *OIDC) Begin(ctx context.Context) (address, kept string, err error) {
	_, flow, err := o.discovered(ctx)
	if err != nil {
		return "", "", err
	}
	a := attempt{Verifier: oauth2.GenerateVerifier()}
	if a.State, err = random(); err != nil {
		return "", "", err
	}
	if a.Nonce, err = random(); err != nil {
		return "", "", err
	}
	b, err := json.Marshal(a)
	if err != nil {
		return "", "", fmt.Errorf("access: %w", err)
	}
	return flow.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), string(b), nil
}

// Finish checks what the provider sent the person back with and gives the user
// whom it vouches for; a *LoginError when it does not, or not for a role.
func (o *OIDC) Finish(ctx context.Context, kept, state, code string) (store.User, error) {
	var a attempt
	if json.Unmarshal([]byte(kept), &a) != nil || a.State == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return store.User{}, &LoginError{Detail: "it was not begun in this browser, or too long ago; begin again"}
	}
	provider, flow, err := o.discovered(ctx)
	if err != nil {
		return store.User{}, err
	}
	ctx = o.client(ctx)
	token, err := flow.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return store.User{}, &LoginError{"the identity provider did not take the code; begin again", withoutAnswer(err)}
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: o.ClientID}).Verify(ctx, raw)
	if err != nil {
		return store.User{}, &LoginError{"the identity provider's token is not valid", err}
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return store.User{}, &LoginError{Detail: "the token belongs to another login; begin again"}
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return store.User{}, &LoginError{"the identity provider's token cannot be read", err}
	}
	// Many providers tell the rest only when they are asked once more.
	if _, told := claims[o.RoleClaim]; !told || claims["email"] == nil {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err == nil && info.Subject == id.Subject {
			err = info.Claims(&claims)
		}
		if err != nil {
			return store.User{}, &LoginError{"the identity provider does not tell who you are", err}
		}
	}
	return o.user(id.Subject, claims)
}

// withoutAnswer leaves the provider's answer out of an error: what it says there
// may hold the secret or the code that it was sent.
func withoutAnswer(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return err
	}
	return fmt.Errorf("the token endpoint answered %d %.40q", refused.Response.StatusCode, refused.ErrorCode)
}

func (o *OIDC) user(subject string, claims map[string]any) (store.User, error) {
	role := o.role(claims[o.RoleClaim])
	if role == "" {
		return store.User{}, &LoginError{Detail: "the claim " + o.RoleClaim + " of your account gives no role here; ask whoever runs this server"}
	}
	email, _ := claims["email"].(string)
	name := strings.ToLower(email)
	if verified, told := claims["email_verified"].(bool); told && !verified {
		name = ""
	}
	if !userName.MatchString(name) {
		name = strings.ToLower(subject)
	}
	if !userName.MatchString(name) {
		return store.User{}, &LoginError{Detail: "neither the e-mail address nor the id of your account can be a name here"}
	}
	return store.User{Name: name, Role: string(role), Subject: o.Issuer + " " + subject}, nil
}

// role gives the highest role that a claim gives; empty for none.
func (o *OIDC) role(claim any) Role {
	var values []string
	switch claim := claim.(type) {
	case string:
		values = []string{claim}
	case []any:
		for _, v := range claim {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
	}
	best := Role("")
	for _, v := range values {
		if r, ok := o.Roles[v]; ok && slices.Index(roles, r) > slices.Index(roles, best) {
			best = r
		}
	}
	return best
}
