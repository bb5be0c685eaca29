package web

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/notify"
)

// channelBody is a channel without its secrets: of those it says that they are.
type channelBody struct {
	notify.Channel
	// URLHost is where a webhook leads; the rest of its address is a secret.
	URLHost     string `json:"url_host,omitempty"`
	HasPassword bool   `json:"has_password"`
	HasSecret   bool   `json:"has_secret"`
}

// noticeBody is something that needs a person.
type noticeBody struct {
	Connection string `json:"connection"`
	Kind       string `json:"kind"`
	Subject    string `json:"subject,omitempty"`
	Since      string `json:"since"`
	// GoneSince is set while it is not so any more and may come back.
	GoneSince string            `json:"gone_since,omitempty"`
	Detail    string            `json:"detail"`
	Told      map[string]string `json:"told"`
}

// notificationsBody is who is told of what, and what there is to tell.
type notificationsBody struct {
	Channels []channelBody `json:"channels"`
	Kinds    []string      `json:"kinds"`
	Notices  []noticeBody  `json:"notices"`
}

func (w *Web) notifications(c echo.Context, config notify.Config) error {
	body := notificationsBody{Channels: []channelBody{}, Kinds: jobs.NoticeKinds(), Notices: []noticeBody{}}
	for _, ch := range config.Channels {
		b := channelBody{Channel: ch, HasPassword: !ch.Password.Empty(), HasSecret: !ch.Secret.Empty()}
		if u, err := url.Parse(ch.URL.Reveal()); err == nil {
			b.URLHost = u.Host
		}
		body.Channels = append(body.Channels, b)
	}
	all, err := w.store.Notices(c.Request().Context())
	if err != nil {
		return err
	}
	for _, n := range all {
		b := noticeBody{Connection: n.Connection, Kind: n.Kind, Subject: n.Subject, Since: when(n.Since), GoneSince: when(n.Gone), Detail: n.Detail, Told: map[string]string{}}
		_ = json.Unmarshal([]byte(n.Told), &b.Told) // written by jobs.Notices
		body.Notices = append(body.Notices, b)
	}
	return c.JSON(http.StatusOK, body)
}

func (w *Web) apiNotifications(c echo.Context) error {
	config, err := w.notices.Config(c.Request().Context())
	if err != nil {
		return err
	}
	return w.notifications(c, config)
}

// notificationsInput are all channels.
type notificationsInput struct {
	Channels []jobs.ChannelInput `json:"channels"`
}

// channelTestInput names the channel to try.
type channelTestInput struct {
	Channel string `json:"channel"`
}

// channelTestBody says that a message was sent.
type channelTestBody struct {
	Channel string `json:"channel"`
	Result  string `json:"result"`
}

// apiSetNotifications replaces all channels. A secret that is not given stays,
// unless it would go to another host.
func (w *Web) apiSetNotifications(c echo.Context) error {
	var in notificationsInput
	if err := decode(c, &in); err != nil {
		return err
	}
	config, err := w.notices.SetConfig(c.Request().Context(), in.Channels)
	if err != nil {
		return err
	}
	return w.notifications(c, config)
}

// apiTestNotification sends a message to one channel.
func (w *Web) apiTestNotification(c echo.Context) error {
	var in channelTestInput
	if err := decode(c, &in); err != nil {
		return err
	}
	if err := w.notices.Test(c.Request().Context(), in.Channel); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, channelTestBody{in.Channel, "sent"})
}
