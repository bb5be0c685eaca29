package segment

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	actRead = "segment: read profiles"
	// readsRun keeps below the hundred requests a second that the Profile API
	// takes (https://segment.com/docs/unify/profile-api/, read November 2026).
	readsRun = 8
	// traitsPage is how many traits one call gives at most, maxTraitPages how
	// many calls are made for one person.
	traitsPage    = "200"
	maxTraitPages = 20
)

// Read implements connectors.Reader by the Profile API of a Unify space, with
// one request or more a person. Whoever has no id that a push would use counts
// as not there.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if c.cfg.Secret(secretProfile).Empty() || c.cfg.Settings[fieldSpace] == "" {
		return nil, &connectors.PushError{Act: actRead, Reason: connectors.ReasonSettings, Message: secretProfile + " and " + fieldSpace + " are not set"}
	}
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsRun)
	for i := range people {
		who, skipped := c.identify(&people[i])
		if skipped != nil {
			continue
		}
		group.Go(func() error {
			traits, err := c.traits(ctx, who)
			if err == nil && traits != nil {
				states[i] = c.stateOf(&people[i], traits)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// traits reads all traits of a profile, page by page; nil where there is none.
func (c *Connector) traits(ctx context.Context, who person) (map[string]any, error) {
	id := "user_id:" + who.userID
	if who.userID == "" {
		id = "anonymous_id:" + who.anonymousID
	}
	address := c.profilesURL + "/v1/spaces/" + url.PathEscape(c.cfg.Settings[fieldSpace]) + "/collections/users/profiles/" + url.PathEscape(id) + "/traits"
	header := http.Header{"Accept": {"application/json"}, "Authorization": {basic(c.cfg.Secret(secretProfile))}}
	all := map[string]any{}
	next := ""
	for range maxTraitPages {
		query := url.Values{"limit": {traitsPage}}
		if next != "" {
			query.Set("next", next)
		}
		a, err := c.cfg.HTTP.Do(ctx, connectors.Call{Act: actRead, URL: address + "?" + query.Encode(), Header: header, Secrets: c.secrets, Pause: pause})
		if err != nil {
			if connectors.AsPushError(err).Reason == connectors.ReasonNotFound {
				return nil, nil
			}
			return nil, err
		}
		var page struct {
			Traits map[string]any `json:"traits"`
			Cursor struct {
				More bool   `json:"has_more"`
				Next string `json:"next"`
			} `json:"cursor"`
		}
		if err := a.JSON(actRead, &page); err != nil {
			return nil, err
		}
		for name, value := range page.Traits {
			all[name] = value
		}
		if next = page.Cursor.Next; !page.Cursor.More || next == "" {
			break
		}
	}
	return all, nil
}

// stateOf reads a person's traits: of the segments those that the update names,
// of the traits those that it would write.
func (c *Connector) stateOf(u *connectors.Update, held map[string]any) *connectors.State {
	s := &connectors.State{}
	s.Stage, _ = held[c.stageTrait].(string)
	for _, name := range slices.Concat(u.Want.Segments, u.Want.Absent) {
		if held[c.prefix+name] == true {
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
			s.Traits[name] = held[name]
		}
	}
	return s
}
