//go:build !race

package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/secret"
)

// vendors are the stand-ins that the program pushes to, and what they need.
type vendors struct {
	t         *testing.T
	hubspot   *hubspotsim.Sim
	mailchimp *mailchimpsim.Sim
	sink      *standin.Sink
	urls      map[string]string
	servers   []*standin.Server

	mu    sync.Mutex
	moves map[string]standin.Customer // the newest by our number of the person
}

const hubspotSecret = "a-client-secret-of-the-drill"

func newVendors(t *testing.T) *vendors {
	t.Helper()
	v := &vendors{t: t, urls: map[string]string{}, moves: map[string]standin.Customer{}}
	v.hubspot = hubspotsim.New(hubspotsim.Options{ClientSecret: secret.New(hubspotSecret)})
	t.Cleanup(v.hubspot.Close)
	v.mailchimp = mailchimpsim.New(mailchimpsim.Options{})
	t.Cleanup(v.mailchimp.Close)
	var err error
	if v.sink, err = standin.NewSink(standin.SinkOptions{Secrets: []secret.Text{secret.New(sinkSecret)}, Accepted: v.accept}); err != nil {
		t.Fatal(err)
	}
	for _, o := range []standin.Options{{Name: "hubspot", Handler: v.hubspot.Handler()}, {Name: "mailchimp", Handler: v.mailchimp.Handler()}, {Name: "sink", Handler: v.sink}} {
		s, err := standin.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		v.urls[o.Name], v.servers = s.URL(), append(v.servers, s)
	}
	return v
}

// listen lets HubSpot report what is written there, as it does to an app: our
// own writes come back and must do nothing.
func (v *vendors) listen(url string) {
	v.hubspot.SetTarget(url + "/hooks/crm")
	go v.hubspot.Run(v.t.Context())
}

// accept keeps what the sink was told last of everybody.
func (v *vendors) accept(m standin.Message) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := m.Customer
	before := v.moves[c.ProfileID]
	if c.Sequence == 0 { // the state as it is, outside the sequence
		c.Sequence = before.Sequence
	}
	if c.Sequence >= before.Sequence {
		v.moves[c.ProfileID] = c
	}
}

// workspace writes the connections as a person would.
func (v *vendors) workspace(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	files := map[string]string{
		"app": "secrets: { signing_secret: \"" + signingSecret + "\" }\n",
		"warehouse": fmt.Sprintf("secrets: { signing_secret: %q }\nsettings: { url: %q }\npush: { enabled: true }\n",
			sinkSecret, v.urls["sink"]+"/lifecycle"),
		"crm": fmt.Sprintf("secrets: { client_secret: %q, access_token: \"a-token-of-the-drill\" }\nsettings: { base_url: %q, app_id: \"%d\" }\npush: { enabled: true, create: true }\n",
			hubspotSecret, v.urls["hubspot"], hubspotsim.DefaultAppID),
		"newsletter": fmt.Sprintf("secrets: { api_key: \"simulated-us0\", webhook_secret: \"a-secret-of-the-drill\" }\nsettings: { base_url: %q, audience_id: a1b2c3d4e5 }\npush: { enabled: true, create: true }\n",
			v.urls["mailchimp"]),
	}
	kinds := map[string]string{"app": "generic-webhook", "warehouse": "generic-webhook", "crm": "hubspot", "newsletter": "mailchimp"}
	if err := os.Mkdir(filepath.Join(folder, "connections"), 0o700); err != nil {
		t.Fatal(err)
	}
	for id, text := range files {
		text = "id: " + id + "\nconnector: " + kinds[id] + "\n" + text
		if err := os.WriteFile(filepath.Join(folder, "connections", id+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// held is what a vendor holds of one person.
type held struct {
	Stage    string
	Segments []string
}

// check compares what each vendor holds with what it should.
func (v *vendors) check(t *testing.T, people []person) {
	t.Helper()
	byEmail, byID := map[string]held{}, map[string]held{}
	for _, p := range people {
		h := held{string(p.profile.Stage), []string{}}
		for _, s := range p.profile.Segments {
			h.Segments = append(h.Segments, string(s.Name))
		}
		slices.Sort(h.Segments)
		byID[fmt.Sprint(int64(p.row.ID))] = h
		email := p.profile.Email()
		if _, twice := byEmail[email]; twice || email == "" {
			t.Errorf("%v has the address %q, which is nobody's or another's: the story is ambiguous", p.row.Keys, email)
		}
		byEmail[email] = h
	}
	v.compare(t, "hubspot", byEmail, v.inHubspot())
	v.compare(t, "mailchimp", byEmail, v.inMailchimp())
	told := map[string]held{}
	v.mu.Lock()
	for id := range byID { // a person who was merged is told of no more
		if c, ok := v.moves[id]; ok {
			told[id] = held{c.Stage, sorted(c.Segments)}
		}
	}
	v.mu.Unlock()
	v.compare(t, "sink", byID, told)
	counts := v.sink.Counts()
	t.Logf("writes accepted: hubspot %d (%d created), mailchimp %d, sink %d and %d again under a known id",
		v.hubspot.Counts().Writes, v.hubspot.Counts().Created, v.mailchimp.Counts().Writes(), counts.Accepted, counts.Duplicates)
	if counts.Rejected > 0 {
		t.Errorf("the sink refused %d messages", counts.Rejected)
	}
}

// compare shows the first few differences only.
func (v *vendors) compare(t *testing.T, vendor string, want, got map[string]held) {
	t.Helper()
	wrong := 0
	for who, h := range want {
		g, ok := got[who]
		if diff := cmp.Diff(h, g); !ok || diff != "" {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: %s: there %v (-want +got):\n%s", vendor, who, ok, diff)
			}
		}
	}
	for who := range got {
		if _, ok := want[who]; !ok {
			if wrong++; wrong <= 3 {
				t.Errorf("%s holds %s, whom nobody knows", vendor, who)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d of %d people differ", vendor, wrong, len(want))
	}
}

func (v *vendors) inHubspot() map[string]held {
	all := map[string]held{}
	for email, c := range v.hubspot.Contacts() {
		all[email] = held{c.Properties["sb_stage"], sorted(strings.FieldsFunc(c.Properties["sb_segments"], func(r rune) bool { return r == ';' }))}
	}
	return all
}

func (v *vendors) inMailchimp() map[string]held {
	all := map[string]held{}
	for email, m := range v.mailchimp.Members() {
		h := held{fmt.Sprint(m.Merge["SBSTAGE"]), []string{}}
		for _, tag := range m.Tags {
			if name, ours := strings.CutPrefix(tag, "sb:"); ours {
				h.Segments = append(h.Segments, name)
			}
		}
		h.Segments = sorted(h.Segments)
		all[email] = h
	}
	return all
}

func sorted(names []string) []string {
	names = append([]string{}, names...)
	slices.Sort(names)
	return names
}
