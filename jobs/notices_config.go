package jobs

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// NoticesNote is the name of the sealed note that holds the channels.
const NoticesNote = "notifications"

// Config gives the channels, with their secrets.
func (n *Notices) Config(ctx context.Context) (notify.Config, error) {
	text, err := n.Store.Note(ctx, NoticesNote)
	if errors.Is(err, store.ErrNotFound) {
		return notify.Config{}, nil
	}
	if err != nil {
		return notify.Config{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return notify.Config{}, fmt.Errorf("jobs: notifications: %w", err)
	}
	plain, err := n.Vault.Open(raw, NoticesNote)
	if err != nil {
		return notify.Config{}, fmt.Errorf("jobs: notifications: %w", err)
	}
	return notify.Decode(plain)
}

// ChannelInput is a channel as somebody enters it: a secret that is nil stays
// as it was, unless it would go to somebody else then.
type ChannelInput struct {
	notify.Channel
	Password *string `json:"password"`
	URL      *string `json:"url"`
	Secret   *string `json:"secret"`
}

// SetConfig replaces all channels. The error is *Invalid with every mistake;
// nothing was changed then.
func (n *Notices) SetConfig(ctx context.Context, in []ChannelInput) (notify.Config, error) {
	was, err := n.Config(ctx)
	if err != nil {
		return notify.Config{}, err
	}
	old := map[string]notify.Channel{}
	for _, ch := range was.Channels {
		old[ch.Name] = ch
	}
	var next notify.Config
	for _, c := range in {
		next.Channels = append(next.Channels, c.over(old[c.Name]))
	}
	if err := next.Check(NoticeKinds()); err != nil {
		return notify.Config{}, invalidOf(err)
	}
	plain, err := next.Encode()
	if err != nil {
		return notify.Config{}, err
	}
	sealed, err := n.Vault.Seal(plain, NoticesNote)
	if err != nil {
		return notify.Config{}, err
	}
	if err := n.Store.SetNote(ctx, NoticesNote, base64.StdEncoding.EncodeToString(sealed)); err != nil {
		return notify.Config{}, err
	}
	return next, n.Store.NoteAudit(ctx, "notifications.set", "notifications", was, next)
}

// over gives the channel with the secrets that it keeps of an old one.
func (c *ChannelInput) over(old notify.Channel) notify.Channel {
	ch := c.Channel
	if c.URL != nil {
		ch.URL = secret.New(*c.URL)
	} else if old.Kind == ch.Kind {
		ch.URL = old.URL
	}
	same := ch.Target() == old.Target()
	keep := func(given *string, was secret.Text) secret.Text {
		switch {
		case given != nil:
			return secret.New(*given)
		case same:
			return was
		}
		return secret.Text{}
	}
	ch.Password, ch.Secret = keep(c.Password, old.Password), keep(c.Secret, old.Secret)
	return ch
}

func invalidOf(err error) error {
	wrong := &Invalid{}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		wrong.Mistakes = all.Unwrap()
	} else {
		wrong.Mistakes = []error{err}
	}
	return wrong
}

// Test sends a message to a channel, whatever kinds it asks for. ErrNotFound:
// there is no such channel.
func (n *Notices) Test(ctx context.Context, channel string) error {
	config, err := n.Config(ctx)
	if err != nil {
		return err
	}
	for _, ch := range config.Channels {
		if ch.Name != channel {
			continue
		}
		err := n.tell(ctx, ch, store.Notice{Kind: noticeTest, Since: lifecycle.At(n.Now()), Detail: "This channel will be told what needs somebody."}, false)
		if pe := (*connectors.PushError)(nil); err != nil && !errors.As(err, &pe) {
			err = &connectors.PushError{Act: "test", Reason: connectors.ReasonConnection, Message: err.Error()}
		}
		return err
	}
	return fmt.Errorf("jobs: channel %q: %w", channel, store.ErrNotFound)
}
