package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// doubts lists what is to be looked at as "key with other: reason, what splitting parts".
func (l *lab) doubts(admin *jobs.Admin, open bool) []string {
	l.t.Helper()
	texts := []string{}
	for after := lifecycle.ProfileID(0); ; {
		some, next, err := admin.Doubts(l.t.Context(), after, open)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, d := range some {
			var apart []string
			for _, k := range d.Apart {
				apart = append(apart, k.String())
			}
			texts = append(texts, fmt.Sprintf("%s with %s: %s, %s (%d events) by %s", d.Key, d.With, d.Reason, strings.Join(apart, " "), d.Events, d.Event.Name))
		}
		if after = next; after == 0 {
			return texts
		}
	}
}

// TestDoubts: joins by a browser or by an address alone are listed with what
// holds them, in whatever order events came; one that was confirmed is not asked
// about again, and one that was split is gone.
func TestDoubts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var first []string
		for _, order := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {9, 4, 8, 2, 5, 3, 7, 1, 6, 0}} {
			l := newLab(t, s)
			l.connect(fmt.Sprintf("crm%d", order[0]), connectors.PushConfig{Enabled: true})
			crm, admin := fmt.Sprintf("crm%d", order[0]), &jobs.Admin{Registry: l.registry}
			at, mail := l.now.Add(-48*time.Hour), func(name string) string { return fmt.Sprintf("%s%d@example.com", name, order[0]) }
			device := fmt.Sprintf("d%d", order[0])
			stories := []told{
				// A newsletter and a sign-up meet in one browser.
				{"news", at, `{"email":"` + mail("ann") + `","device":"` + device + `"}`},
				{"signup", at.Add(time.Minute), fmt.Sprintf(`{"user":"u%d"}`, order[0])},
				{"order", at.Add(2 * time.Minute), fmt.Sprintf(`{"user":"u%d","order":"o1","amount":"5.00"}`, order[0])},
				{"praise", at.Add(3 * time.Minute), fmt.Sprintf(`{"user":"u%d","device":"%s"}`, order[0], device)},
				// A sign-up that names an address which was there alone is none.
				{"news", at, `{"email":"` + mail("bo") + `"}`},
				{"signup", at.Add(time.Minute), fmt.Sprintf(`{"user":"v%d","email":"%s"}`, order[0], mail("bo"))},
				// Two records of one CRM meet in one address.
				{"merged", at, `{"email":"` + mail("cy") + `","records":["51"]}`},
				{"merged", at.Add(time.Minute), `{"records":["52"]}`},
				{"merged", at.Add(2 * time.Minute), `{"email":"` + mail("cy") + `","records":["52"]}`},
				// Nor is a browser of nobody.
				{"praise", at.Add(2 * time.Minute), fmt.Sprintf(`{"user":"v%d","device":"e%d"}`, order[0], order[0])},
			}
			for _, i := range order {
				l.tell(crm, stories[i])
				l.process()
			}
			listed := l.doubts(admin, true)
			if first == nil {
				first = listed
				want := []string{
					"anonymous:d0 with user:u0: weak, email:ann0@example.com anonymous:d0 (1 events) by Review:Posted",
					"crm0:52 with email:cy0@example.com: same_kind, crm0:52 (1 events) by Identity:Merged",
				}
				if diff := cmp.Diff(want, listed); diff != "" {
					t.Fatalf("doubts (-want +got):\n%s", diff)
				}
				u0, d0 := parse([]string{"user:u0"})[0], parse([]string{"anonymous:d0"})[0]
				if err := admin.ConfirmJoin(t.Context(), u0, d0, "", "kim"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("the wrong way round: %v", err)
				}
				if err := admin.ConfirmJoin(t.Context(), d0, u0, "asked her", "kim"); err != nil {
					t.Fatal(err)
				}
				if err := admin.ConfirmJoin(t.Context(), parse([]string{"crm0:52"})[0], parse([]string{"email:cy0@example.com"})[0], "", "kim"); err != nil {
					t.Fatal(err)
				}
				if left := l.doubts(admin, true); len(left) > 0 {
					t.Errorf("asked again: %v", left)
				}
				if all := l.doubts(admin, false); len(all) != 2 {
					t.Errorf("with what was confirmed: %v", all)
				}
				continue
			}
			slices.Sort(listed) // numbers of people are another order
			named := strings.NewReplacer("d0", "d9", "u0", "u9", "ann0", "ann9", "crm0", "crm9", "cy0", "cy9")
			if want := []string{named.Replace(first[0]), named.Replace(first[1])}; !slices.Equal(listed, want) {
				t.Errorf("in another order: %v, want %v", listed, want)
			}
			p, _ := l.person("email:" + mail("ann"))
			if _, err := admin.Split(t.Context(), p.ID, parse([]string{"email:" + mail("ann"), "anonymous:" + device}), "two people", "kim"); err != nil {
				t.Fatal(err)
			}
			if left := l.doubts(admin, true); len(left) != 1 {
				t.Errorf("after the split: %v", left)
			}
		}
	})
}
