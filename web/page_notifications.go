package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/store"
)

// notificationsPage answers: who is told that something needs somebody?
type notificationsPage struct {
	Channels []channelRow
	// Kinds of notices, and those that stand now.
	Kinds    []string
	Notices  []store.Notice
	Form     notify.Channel // what was typed, where it was refused
	Note     string
	Mistakes []Mistake
}

// channelRow is a channel without its secrets; Host is where a webhook leads.
type channelRow struct {
	notify.Channel
	Host string
}

func (w *Web) notificationsPage(c echo.Context) error {
	return w.showNotifications(c, http.StatusOK, notificationsPage{})
}

func (w *Web) showNotifications(c echo.Context, status int, body notificationsPage) error {
	ctx := c.Request().Context()
	config, err := w.notices.Config(ctx)
	if err != nil {
		return err
	}
	for _, ch := range config.Channels {
		row := channelRow{Channel: ch}
		if u, err := url.Parse(ch.URL.Reveal()); err == nil {
			row.Host = u.Host
		}
		body.Channels = append(body.Channels, row)
	}
	body.Kinds = jobs.NoticeKinds()
	if body.Notices, err = w.store.Notices(ctx); err != nil {
		return err
	}
	return w.render(c, status, "notifications", "Notifications", body)
}

// changeNotifications adds a channel, takes one away, lets one be silent or
// speak again, or tries one.
func (w *Web) changeNotifications(c echo.Context) error {
	ctx, name := c.Request().Context(), c.FormValue("name")
	body := notificationsPage{}
	var err error
	switch c.FormValue("act") {
	case "add":
		in := channelForm(c)
		body.Form, body.Note = in.Channel, "The channel "+name+" is told from now on. Send it a test."
		err = w.editChannels(ctx, func(all []jobs.ChannelInput) []jobs.ChannelInput { return append(all, in) })
	case "remove":
		body.Note = "The channel " + name + " is told nothing any more."
		err = w.editChannel(ctx, name, func(all []jobs.ChannelInput, i int) []jobs.ChannelInput { return slices.Delete(all, i, i+1) })
	case "switch":
		body.Note = "Changed."
		err = w.editChannel(ctx, name, func(all []jobs.ChannelInput, i int) []jobs.ChannelInput { all[i].Off = !all[i].Off; return all })
	case "test":
		body.Note = "A message was sent to " + name + "."
		err = w.notices.Test(ctx, name)
	default:
		return echo.ErrNotFound
	}
	if err == nil {
		body.Form = notify.Channel{}
		return w.showNotifications(c, http.StatusOK, body)
	}
	p := problemOf(err)
	if len(p.Mistakes) == 0 && p.Status != http.StatusBadGateway {
		return err
	}
	body.Note, body.Mistakes = "", p.Mistakes
	if len(p.Mistakes) == 0 { // a channel that was tried and cannot be reached
		body.Mistakes = []Mistake{{Detail: p.Detail}}
	}
	return w.showNotifications(c, p.Status, body)
}

// editChannel changes one channel; store.ErrNotFound for one that is not there.
func (w *Web) editChannel(ctx context.Context, name string, change func(all []jobs.ChannelInput, i int) []jobs.ChannelInput) error {
	found := false
	err := w.editChannels(ctx, func(all []jobs.ChannelInput) []jobs.ChannelInput {
		i := slices.IndexFunc(all, func(ch jobs.ChannelInput) bool { return ch.Name == name })
		if found = i >= 0; !found {
			return all
		}
		return change(all, i)
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return err
}

// editChannels sets the channels anew; those that stay keep their secrets.
func (w *Web) editChannels(ctx context.Context, change func([]jobs.ChannelInput) []jobs.ChannelInput) error {
	config, err := w.notices.Config(ctx)
	if err != nil {
		return err
	}
	var all []jobs.ChannelInput
	for _, ch := range config.Channels {
		all = append(all, jobs.ChannelInput{Channel: ch})
	}
	_, err = w.notices.SetConfig(ctx, change(all))
	return err
}

func channelForm(c echo.Context) jobs.ChannelInput {
	in := jobs.ChannelInput{Channel: notify.Channel{
		Name: strings.TrimSpace(c.FormValue("name")), Kind: c.FormValue("kind"), SMTP: strings.TrimSpace(c.FormValue("smtp")), TLS: c.FormValue("tls"),
		From: strings.TrimSpace(c.FormValue("from")), Username: strings.TrimSpace(c.FormValue("username")),
	}}
	if form, err := c.FormParams(); err == nil {
		in.Kinds = form["kinds"]
	}
	for to := range strings.SplitSeq(c.FormValue("to"), ",") {
		if to = strings.TrimSpace(to); to != "" {
			in.To = append(in.To, to)
		}
	}
	for _, secret := range []struct {
		field string
		into  **string
	}{{"password", &in.Password}, {"url", &in.URL}, {"secret", &in.Secret}} {
		if text := strings.TrimSpace(c.FormValue(secret.field)); text != "" {
			*secret.into = &text
		}
	}
	return in
}
