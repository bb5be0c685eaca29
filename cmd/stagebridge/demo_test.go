package main

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/demo"
)

// TestDemoNotices takes care that the demo would fail: somebody changes one
// property of one person at one vendor behind its back.
func TestDemoNotices(t *testing.T) {
	t.Parallel()
	world, err := demo.Open(false)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output()}
	s, _, err := p.demoServer(t.Context(), t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := world.Look(t.Context(), s.store); err == nil || !strings.Contains(err.Error(), "0 people (0 unknown by name), want 108 (22)") {
		t.Errorf("before the story: %v", err)
	}
	world.Run(t.Context())
	if _, err := tellStory(t.Context(), s, world, demoTime); err != nil {
		t.Fatal(err)
	}
	var email string
	for _, person := range demo.Cast() {
		if person.Stage == "Advocate" {
			email = person.Email
		}
	}
	contact, ok := world.HubSpot.ByEmail(email)
	if !ok {
		t.Fatalf("HubSpot has no %s", email)
	}
	// Otherwise the change would be written over before anybody looks.
	if _, err := s.admin.Pause(t.Context(), "hubspot-demo", true); err != nil {
		t.Fatal(err)
	}
	world.HubSpot.SetContact(contact.ID, map[string]string{"sb_stage": "Visit"})
	if _, err := world.Look(t.Context(), s.store); err == nil || !strings.HasPrefix(err.Error(), "HubSpot (simulated) holds Visit for "+email+", want Advocate") {
		t.Errorf("after the change: %v", err)
	}
}
