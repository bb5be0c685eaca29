package access_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
	"github.com/stagebridge/stagebridge/web/access"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		have, least access.Role
		may         bool
	}{
		{access.Admin, access.Admin, true}, {access.Admin, access.Viewer, true}, {access.Editor, access.Editor, true}, {access.Editor, access.Admin, false},
		{access.Viewer, access.Editor, false}, {access.Viewer, access.Viewer, true}, {"", access.Viewer, false}, {"root", access.Viewer, false}, {access.Admin, "", false},
	} {
		if got := c.have.May(c.least); got != c.may {
			t.Errorf("%q for %q: %v", c.have, c.least, got)
		}
	}
}

func TestLeast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, route string
		want          access.Role
	}{
		{http.MethodGet, "/", access.Viewer},
		{http.MethodGet, "/api/v1/profiles/:id", access.Viewer},
		{http.MethodPost, "/api/v1/plan/preview", access.Editor},
		{http.MethodPut, "/api/v1/plan", access.Editor},
		{http.MethodPost, "/plan", access.Editor},
		{http.MethodDelete, "/jobs/*", access.Editor},
		{http.MethodPost, "/connections/:id/rules", access.Editor},
		{http.MethodPost, "/connections/:id/edit", access.Admin},
		{http.MethodPost, "/connections/:id/:action", access.Admin},
		{http.MethodGet, "/connections/:id/edit", access.Admin},
		{http.MethodPost, "/api/v1/connections", access.Admin},
		{http.MethodPut, "/api/v1/connections/:id", access.Admin},
		{http.MethodPost, "/api/v1/connections/:id/register", access.Admin},
		{http.MethodPost, "/api/v1/connections/:id/pause", access.Editor},
		{http.MethodGet, "/api/v1/users", access.Admin},
		{http.MethodGet, "/api/v1/tokens", access.Admin},
		{http.MethodDelete, "/api/v1/tokens/:id", access.Admin},
		{http.MethodDelete, "/api/v1/profiles/:id", access.Admin},
		{http.MethodGet, "/api/v1/profiles/:id/export", access.Admin},
		{"TRACE", "/anything", access.Editor},
	} {
		if got := access.Least(c.method, c.route); got != c.want {
			t.Errorf("%s %s asks for %s, want %s", c.method, c.route, got, c.want)
		}
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := time.Now()
		a := &access.Access{Store: s, Now: func() time.Time { return now }}
		for _, name := range []string{"", "Ann", "ann smith", "-ann", strings.Repeat("a", 101), "ann\n"} {
			var field *access.FieldError
			if _, err := a.AddUser(ctx, name, access.Viewer); !errors.As(err, &field) {
				t.Errorf("name %q: %v", name, err)
			}
		}
		link, err := a.AddUser(ctx, "ann@example.com", access.Admin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.AddUser(ctx, "ann@example.com", access.Viewer); !errors.Is(err, store.ErrExists) {
			t.Errorf("twice: %v", err)
		}
		second, err := a.NewLink(ctx, "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Invited(ctx, link.Token.Reveal()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the first link still works beside the second: %v", err)
		}
		if u, err := a.Invited(ctx, second.Token.Reveal()); err != nil || u.Name != "ann@example.com" {
			t.Errorf("the second link: %+v, %v", u, err)
		}
		if _, err := a.Invited(ctx, second.Token.Reveal()+"x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a wrong link: %v", err)
		}
		if err := s.SetPassword(ctx, "ann@example.com", "hash"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Invited(ctx, second.Token.Reveal()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a link that was used: %v", err)
		}
		if err := a.SetRole(ctx, "ann@example.com", access.Viewer); !errors.Is(err, store.ErrLastAdmin) {
			t.Errorf("the last admin became a viewer: %v", err)
		}
		if err := s.RemoveUser(ctx, "ann@example.com"); !errors.Is(err, store.ErrLastAdmin) {
			t.Errorf("the last admin was removed: %v", err)
		}
		// An admin who has not set a password yet cannot log in, and so does not count.
		if _, err := a.AddUser(ctx, "bo", access.Admin); err != nil {
			t.Fatal(err)
		}
		if err := s.RemoveUser(ctx, "ann@example.com"); !errors.Is(err, store.ErrLastAdmin) {
			t.Errorf("nobody who can log in is left: %v", err)
		}
		if err := s.SetPassword(ctx, "bo", "hash"); err != nil {
			t.Fatal(err)
		}
		if err := s.StartSession(ctx, []byte("session of ann"), "ann@example.com", 0); err != nil {
			t.Fatal(err)
		}
		if err := a.SetRole(ctx, "ann@example.com", access.Viewer); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Session(ctx, []byte("session of ann")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a session outlived the change of role: %v", err)
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := time.Now()
		a := &access.Access{Store: s, Now: func() time.Time { return now }}
		for _, in := range []access.TokenInput{
			{ID: "", Role: access.Viewer}, {ID: "A", Role: access.Viewer}, {ID: "a", Role: "root"}, {ID: "a", Role: access.Viewer, Areas: []string{"/profiles"}},
			{ID: "a", Role: access.Viewer, Life: -1},
		} {
			var field *access.FieldError
			if _, _, err := a.AddToken(ctx, in); !errors.As(err, &field) {
				t.Errorf("%+v: %v", in, err)
			}
		}
		text, x, err := a.AddToken(ctx, access.TokenInput{ID: "bi", Role: access.Viewer, Areas: []string{"reports", "profiles"}, Life: 24 * time.Hour, Author: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.AddToken(ctx, access.TokenInput{ID: "bi", Role: access.Admin}); !errors.Is(err, store.ErrExists) {
			t.Errorf("twice: %v", err)
		}
		h, err := a.Holder(ctx, text.Reveal())
		if err != nil || h.Role != access.Viewer || !h.Reaches("reports") || h.Reaches("users") {
			t.Errorf("holder %+v, %v", h, err)
		}
		all, err := s.Tokens(ctx)
		if err != nil || len(all) != 1 || all[0].Seen == 0 || all[0].Author != "ann" || len(all[0].Areas) != 2 {
			t.Errorf("tokens %+v, %v", all, err)
		}
		for _, wrong := range []string{"", "sbt_", text.Reveal() + "x", strings.TrimPrefix(text.Reveal(), "sbt_"), "sbt_" + strings.Repeat("x", 1000)} {
			if _, err := a.Holder(ctx, wrong); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%.20q: %v", wrong, err)
			}
		}
		now = x.Expires.Time()
		if _, err := a.Holder(ctx, text.Reveal()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after its end: %v", err)
		}
		if err := s.RemoveToken(ctx, "bi"); err != nil {
			t.Fatal(err)
		}
		if err := s.RemoveToken(ctx, "bi"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}
