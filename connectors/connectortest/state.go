package connectortest

import (
	"bytes"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// runPartial lets the vendor refuse one person, at each place of the batch:
// that one must end permanent with the vendor's words, the others well.
func runPartial(t *testing.T, c Case) {
	d := c.Destination
	if d.Refuse == nil {
		t.Skip("the vendor takes or refuses whole calls")
	}
	for victim := range d.Updates() {
		dest, f, o := c.openDestination(t, nil)
		updates := d.Updates()
		d.Refuse(f, updates[victim])
		for i, r := range push(t, dest, o, updates) {
			switch {
			case i == victim && (r.Outcome != connectors.Permanent || r.Message == ""):
				t.Errorf("person %d was refused, the result is %+v", i, r)
			case i != victim && r.Outcome != d.done():
				t.Errorf("person %d was refused, result %d is %+v", victim, i, r)
			}
		}
		c.checkConsent(t, f)
	}
}

// runUnchanged tells the destination what the vendor holds already.
func runUnchanged(t *testing.T, c Case) {
	dest, _, _ := c.openDestination(t, nil)
	if dest.Limits().Takes == connectors.TakesEvents {
		t.Skip("the destination takes events")
	}
	known := func(differ func(*connectors.State)) []connectors.Update {
		updates := c.Destination.Updates()
		for i := range updates {
			was := updates[i].Want
			if differ != nil {
				differ(&was)
			}
			updates[i].Known = &was
		}
		return updates
	}
	t.Run("nothing differs", func(t *testing.T) {
		dest, f, o := c.openDestination(t, nil)
		for i, r := range push(t, dest, o, known(nil)) {
			if r.Outcome != connectors.OK {
				t.Errorf("result %d = %+v, want ok", i, r)
			}
		}
		if w := c.writes(f); len(w) > 0 {
			t.Errorf("%s %s was sent although nothing differs", w[0].Method, w[0].Path)
		}
	})
	parts := map[string]func(*connectors.State){
		"stage":    func(s *connectors.State) { s.Stage = "" },
		"segments": func(s *connectors.State) { s.Segments, s.Absent = s.Absent, s.Segments },
		"traits":   func(s *connectors.State) { s.Traits = nil },
	}
	for part, differ := range parts {
		t.Run("only the "+part, func(t *testing.T) {
			mark, ok := c.Destination.Marks[part]
			if !ok {
				t.Skip("the case marks no such part")
			}
			dest, f, o := c.openDestination(t, nil)
			for i, r := range push(t, dest, o, known(differ)) {
				if r.Outcome != c.Destination.done() {
					t.Errorf("result %d = %+v, want %s", i, r, c.Destination.done())
				}
			}
			if !mentioned(c.writes(f), mark) {
				t.Errorf("%q was not sent although it differs", mark)
			}
			for other, unwanted := range c.Destination.Marks {
				if other != part && mentioned(c.writes(f), unwanted) {
					t.Errorf("%q was sent although it does not differ", unwanted)
				}
			}
		})
	}
}

// mentioned reports whether a path or body holds the text.
func mentioned(requests []Recorded, text string) bool {
	for _, r := range requests {
		if bytes.Contains(r.Body, []byte(text)) || bytes.Contains([]byte(r.Path), []byte(text)) {
			return true
		}
	}
	return false
}
