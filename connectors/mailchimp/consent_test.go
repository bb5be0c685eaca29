package mailchimp_test

import (
	"fmt"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

// TestConsentIsNeverChanged pushes anything to anybody, with whatever is known
// of them, and finds every subscription status as it was. Nobody is created as
// subscribed, and the vendor never counts a change of status.
func TestConsentIsNeverChanged(t *testing.T) {
	t.Parallel()
	http := connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	rapid.Check(t, func(rt *rapid.T) {
		v := mailchimpsim.New(mailchimpsim.Options{Key: apiKey})
		server := httptest.NewServer(v)
		defer server.Close()
		defer v.Close()
		before := map[string]string{}
		for i := range 6 {
			status := rapid.SampledFrom([]string{"", "subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"}).Draw(rt, "status")
			email := fmt.Sprintf("p%d@example.com", i)
			if status != "" {
				v.AddMember(email, status, nil, "sb:s1")
				before[email] = status
			}
		}
		cfg := connectors.Config{
			ID: "newsletter",
			Settings: map[string]string{
				"base_url": server.URL, "audience_id": "a1b2c3d4e5",
				"status_if_new": rapid.SampledFrom([]string{"transactional", "pending"}).Draw(rt, "status_if_new"),
				"is_syncing":    strconv.FormatBool(rapid.Bool().Draw(rt, "is_syncing")),
			},
			Secrets: map[string][]secret.Text{"api_key": {secret.New(apiKey)}},
			Push:    connectors.PushConfig{Enabled: true, Create: rapid.Bool().Draw(rt, "create")},
			HTTP:    http,
		}
		c, err := mailchimp.Vendor().Open(cfg)
		if err != nil {
			rt.Fatalf("open: %v", err)
		}
		var updates []connectors.Update
		for i := range 6 {
			updates = append(updates, drawUpdate(rt, fmt.Sprintf("p%d@example.com", i)))
		}
		if _, err := c.(*mailchimp.Connector).Push(t.Context(), updates); err != nil {
			rt.Fatalf("push: %v", err)
		}
		for email, held := range v.Members() {
			was, there := before[email]
			switch {
			case there && held.Status != was:
				rt.Errorf("%s was %s and is %s", email, was, held.Status)
			case !there && held.Status == "subscribed":
				rt.Errorf("%s was made a subscriber", email)
			}
		}
		if n := v.Counts().StatusChanges; n != 0 {
			rt.Errorf("%d changes of status", n)
		}
	})
}

func drawUpdate(rt *rapid.T, email string) connectors.Update {
	state := func(label string) connectors.State {
		s := connectors.State{Stage: rapid.SampledFrom([]string{"", "Trial", "Customer"}).Draw(rt, label+" stage")}
		for _, name := range []string{"s1", "s2"} {
			if rapid.Bool().Draw(rt, label+" "+name) {
				s.Segments = append(s.Segments, name)
			} else {
				s.Absent = append(s.Absent, name)
			}
		}
		return s
	}
	u := connectors.Update{ID: "u", Email: email, Want: state("want")}
	if rapid.Bool().Draw(rt, "known") {
		known := state("known")
		u.Known = &known
	}
	// Some were last seen under an address that nobody has any more.
	if rapid.Bool().Draw(rt, "moved") {
		u.VendorID = "0123456789abcdef0123456789abcdef"
	}
	return u
}
