package mparticle

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	actRead = "mparticle: read profiles"
	// audience is what a token of the Profile API is for, whatever its address.
	audience = "https://api.mparticle.com"
	// readsRun keeps below the 15 requests a second that the Profile API takes
	// where an answer takes a third of a second.
	readsRun = 4
)

// token asks for an access token; it lives for eight hours and cannot be
// renewed, so each is asked for anew with the client's own credentials.
func (c *Connector) token(ctx context.Context) (connectors.Token, error) {
	const act = "mparticle: fetch an access token"
	a, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, URL: c.tokenURL, Secrets: c.secrets,
		JSON: map[string]string{
			"client_id": c.cfg.Secret(secretProfileID).Reveal(), "client_secret": c.cfg.Secret(secretProfileSecret).Reveal(),
			"audience": audience, "grant_type": "client_credentials",
		},
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var answer struct {
		Token  string `json:"access_token"`
		Expiry int64  `json:"expires_in"`
	}
	if err := a.JSON(act, &answer); err != nil {
		return connectors.Token{}, err
	}
	return connectors.Token{Value: secret.New(answer.Token), Life: time.Duration(min(max(answer.Expiry, 0), 1<<20)) * time.Second}, nil
}

// Read implements connectors.Reader with one request a person. Whose mpid is
// not known counts as not there: the Profile API finds people by nothing else.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if c.profile == "" || c.cfg.Secret(secretProfileID).Empty() || c.cfg.Secret(secretProfileSecret).Empty() {
		return nil, &connectors.PushError{Act: actRead, Reason: connectors.ReasonSettings, Message: "the Profile API's client and the ids of organization, account and workspace are not set"}
	}
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsRun)
	for i := range people {
		if !isMPID(people[i].VendorID) {
			continue
		}
		group.Go(func() error {
			state, err := c.readOne(ctx, &people[i])
			states[i] = state
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// isMPID keeps anything but a number out of a path.
func isMPID(id string) bool {
	if len(id) > 1 && id[0] == '-' {
		id = id[1:]
	}
	return id != "" && len(id) <= 20 && !slices.ContainsFunc([]byte(id), func(b byte) bool { return b < '0' || b > '9' })
}

func (c *Connector) readOne(ctx context.Context, u *connectors.Update) (*connectors.State, error) {
	a, err := c.askProfile(ctx, u.VendorID)
	if err != nil && connectors.AsPushError(err).Reason == connectors.ReasonAuth {
		// The token may have been withdrawn before its time; a second refusal
		// is about the client.
		a, err = c.askProfile(ctx, u.VendorID)
	}
	if err != nil {
		if connectors.AsPushError(err).Reason == connectors.ReasonNotFound {
			return nil, nil
		}
		return nil, err
	}
	var profile struct {
		Attributes map[string]json.RawMessage `json:"user_attributes"`
	}
	if err := a.JSON(actRead, &profile); err != nil {
		return nil, err
	}
	return c.stateOf(u, profile.Attributes), nil
}

func (c *Connector) askProfile(ctx context.Context, mpid string) (*connectors.Answer, error) {
	t, err := c.tokens.Get(ctx)
	if err != nil {
		return nil, err
	}
	a, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: actRead, URL: c.profileURL + c.profile + mpid + "?fields=user_attributes", Secrets: c.secrets,
		Header: http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + t.Value.Reveal()}},
	})
	if err != nil && connectors.AsPushError(err).Reason == connectors.ReasonAuth {
		c.tokens.Forget(t.Value)
	}
	return a, err
}

// stateOf reads a person's attributes: of the segments those that the update
// names, of the traits those that it would write.
func (c *Connector) stateOf(u *connectors.Update, held map[string]json.RawMessage) *connectors.State {
	s := &connectors.State{Stage: text(held[c.stage])}
	var segments []string
	if json.Unmarshal(held[c.segments], &segments) != nil {
		if one := text(held[c.segments]); one != "" {
			segments = []string{one} // a list of one may come back as its value
		}
	}
	for _, name := range slices.Concat(u.Want.Segments, u.Want.Absent) {
		if slices.Contains(segments, name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	slices.Sort(s.Segments)
	slices.Sort(s.Absent)
	if len(u.Want.Traits) > 0 {
		s.Traits = make(map[string]any, len(u.Want.Traits))
		for name := range u.Want.Traits {
			var value any
			if json.Unmarshal(held[name], &value) != nil {
				value = nil // it is not there
			}
			s.Traits[name] = value
		}
	}
	return s
}
