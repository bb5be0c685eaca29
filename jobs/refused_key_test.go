package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestRefusedKeyBecomesSomebodys: an address beyond the limit is nobody's until
// it is told of alone; then somebody has it, and when a late event makes room for
// it the two are one, in this order and in any other.
func TestRefusedKeyBecomesSomebodys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	var all []told
	for i := range 6 {
		all = append(all, told{"news", at.Add(time.Duration(i) * time.Hour), fmt.Sprintf(`{"user":"u1","email":"p%d@example.com"}`, i)})
	}
	alone := told{"praise", at.Add(24 * time.Hour), `{"email":"p5@example.com","device":"d5"}`}
	late := told{"signup", at.Add(-time.Hour), `{"user":"u2","email":"p4@example.com"}`}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		l.tell("crm", all...)
		l.process()
		if p, _ := l.person("email:p5@example.com"); p != nil {
			t.Fatalf("the address beyond the limit is %v's", p.Keys)
		}
		l.tell("crm", alone)
		l.process()
		if p, _ := l.person("email:p5@example.com"); p == nil || len(p.Keys) != 2 {
			t.Fatalf("told of alone: %+v", p)
		}
		l.tell("crm", late)
		l.process()
		one, _ := l.person("user:u1")
		six, _ := l.person("email:p5@example.com")
		two, _ := l.person("email:p4@example.com")
		if one.ID != six.ID || two.ID == one.ID || len(one.Keys) != 7 {
			t.Errorf("after room was made: %v, %v and %v", one.Keys, six.Keys, two.Keys)
		}
		if n := len(l.standings()) - 1; n != 2 {
			t.Errorf("%d people", n)
		}
	})
}
