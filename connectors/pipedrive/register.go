package pipedrive

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// objects are the kinds of record that a webhook is made for.
func objects() []string { return []string{"activity", "deal", "lead", "person"} }

// Register implements connectors.Registrar. Pipedrive's webhooks are for one
// kind of object each and cannot be changed, so one that does not fit is made
// anew before the old one is removed.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	wanted, err := wantedObjects(types)
	if err != nil {
		return nil, err
	}
	if c.cfg.PublicURL == "" {
		return nil, settingError("register webhooks", "the public URL of this installation is not set")
	}
	secrets := map[string]secret.Text{}
	password := c.cfg.Secret(secretPassword)
	if password.Empty() {
		password = secret.New(rand.Text())
		secrets[secretPassword] = password
	}
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	keep := map[int64]bool{}
	for _, object := range wanted {
		fits := func(w webhook) bool { return len(secrets) == 0 && c.fits(w, object, password) }
		if i := slices.IndexFunc(there, fits); i >= 0 {
			keep[there[i].ID] = true
			ids = append(ids, strconv.FormatInt(there[i].ID, 10))
			continue
		}
		var made webhook
		_, err := c.api.hiding(password).call(ctx, "create a webhook", http.MethodPost, v1+"/webhooks", webhook{
			Name: "Stagebridge " + object, URL: c.cfg.PublicURL, Action: "*", Object: object, Version: "2.0",
			User: c.webhookUser, Password: password.Reveal(),
		}, &made)
		if err != nil {
			return nil, err
		}
		ids = append(ids, strconv.FormatInt(made.ID, 10))
	}
	for _, w := range there {
		if keep[w.ID] {
			continue
		}
		if err := c.removeWebhook(ctx, w.ID); err != nil {
			return nil, err
		}
	}
	return &connectors.Registration{ID: strings.Join(ids, ","), URL: c.cfg.PublicURL, Types: typesOf(wanted...), Secrets: secrets}, nil
}

// fits reports whether a webhook is as one would be made now. A password that
// the list does not show is taken to be the one stored here.
func (c *Connector) fits(w webhook, object string, password secret.Text) bool {
	active := w.Active == nil || *w.Active != 0
	return active && w.Object == object && w.Action == "*" && w.Version == "2.0" && w.User == c.webhookUser &&
		(w.Password == "" || strings.Trim(w.Password, "*•") == "" || password.Equal(w.Password))
}

// wantedObjects are the objects of the given types; nil: all.
func wantedObjects(types []string) ([]string, error) {
	if types == nil {
		return objects(), nil
	}
	var wanted []string
	for _, t := range types {
		object, act, _ := strings.Cut(t, ".")
		switch {
		case slices.Contains(objects(), act):
			// A type of webhook version 1 tells of the same object.
			object = act
		case !slices.Contains(objects(), object) || !slices.Contains([]string{"create", "change", "delete"}, act):
			return nil, settingError("register webhooks", "there is no event "+short(t))
		}
		if !slices.Contains(wanted, object) {
			wanted = append(wanted, object)
		}
	}
	if len(wanted) == 0 {
		return nil, settingError("register webhooks", "no event is asked for")
	}
	slices.Sort(wanted)
	return wanted, nil
}

func typesOf(objects ...string) []string {
	var types []string
	for _, object := range objects {
		for _, act := range []string{"change", "create", "delete"} {
			types = append(types, object+"."+act)
		}
	}
	return types
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, w := range there {
		if w.Active != nil && *w.Active == 0 {
			continue // given up by Pipedrive: as good as gone
		}
		types := typesOf(w.Object)
		if w.Action != "*" {
			types = []string{w.Object + "." + w.Action}
		}
		all = append(all, connectors.Registration{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Types: types})
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.webhooks(ctx)
	if err != nil {
		return err
	}
	for _, w := range there {
		if err := c.removeWebhook(ctx, w.ID); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connector) removeWebhook(ctx context.Context, id int64) error {
	_, err := c.api.call(ctx, "remove a webhook", http.MethodDelete, v1+"/webhooks/"+strconv.FormatInt(id, 10), nil, nil)
	if err != nil && !gone(err) {
		return err
	}
	return nil
}

// webhooks lists those that call this connection.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	var all []webhook
	if _, err := c.api.call(ctx, "list webhooks", http.MethodGet, v1+"/webhooks", nil, &all); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(w webhook) bool { return strings.TrimSuffix(w.URL, "/") != c.cfg.PublicURL }), nil
}
