package demandbase_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/demandbase"
)

// turn asks until nothing more waits, as the clock does once an interval.
func turn(t *testing.T, c *demandbase.Connector, cursor string) ([]string, string) {
	t.Helper()
	var told []string
	for range 100 {
		got, err := c.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("fetch: %v", err)
		}
		for _, e := range got.Events {
			if e.Type != "export.person" || e.Dedupe == [32]byte{} {
				t.Errorf("event %+v", e)
			}
			told = append(told, string(e.Body))
		}
		if cursor = got.Cursor; !got.More {
			return told, cursor
		}
	}
	t.Fatal("there is always more")
	return nil, ""
}

func table(rows ...string) string {
	return "{Person}.email,{Account}.name,{Account}.journey_stage,{Account}.engagement_points\n" + strings.Join(rows, "\n")
}

func TestFetch(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { reads(cfg); cfg.Settings["export_lists"] = "4711, 4712" })
	v.Export(table("dana@example.com,Acme,Aware,10", "lee@example.com,,,", ",Nobody,Aware,1"))
	day := func(cursor string) ([]string, string) {
		t.Helper()
		_, cursor = turn(t, c, cursor) // starts the export
		told, cursor := turn(t, c, cursor)
		if more, same := turn(t, c, cursor); len(more) != 0 || same != cursor {
			t.Errorf("before the next one is due: %v", more)
		}
		v.pass(24 * time.Hour)
		return told, cursor
	}
	told, cursor := day("")
	if len(told) != 0 {
		t.Errorf("the first export told %v", told)
	}
	if told, cursor = day(cursor); len(told) != 0 {
		t.Errorf("an equal export told %v", told)
	}
	v.Export(table("dana@example.com,Acme,Engaged,25", "lee@example.com,,,", "ann@example.com,Globex,,3"))
	told, cursor = day(cursor)
	want := []string{`{"company":"Acme","email":"dana@example.com","engagement":"25","journey_stage":"Engaged"}`, `{"company":"Globex","email":"ann@example.com","engagement":"3"}`}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	// Back to what it was is a change as well.
	v.Export(table("dana@example.com,Acme,Aware,10"))
	if told, _ = day(cursor); len(told) != 1 {
		t.Errorf("going back told %v", told)
	}
	if fields := v.Exports(); len(fields) != 4 || len(fields[0]) != 4 {
		t.Errorf("exports of %v", fields)
	}
}

// An export that changed very much is told in pages.
func TestFetchPages(t *testing.T) {
	t.Parallel()
	c, v := start(t, reads)
	v.Export(table())
	_, cursor := turn(t, c, "")
	_, cursor = turn(t, c, cursor)
	v.pass(24 * time.Hour)
	var rows []string
	for i := range 2500 {
		rows = append(rows, fmt.Sprintf("p%d@example.com,Acme,Aware,%d", i, i))
	}
	v.Export(table(rows...))
	_, cursor = turn(t, c, cursor)
	told, cursor := turn(t, c, cursor)
	seen := map[string]bool{}
	for _, one := range told {
		seen[one] = true
	}
	if len(told) != 2500 || len(seen) != 2500 {
		t.Errorf("%d told, %d of them different", len(told), len(seen))
	}
	if len(cursor) > 300_000 {
		t.Errorf("the cursor has %d bytes", len(cursor))
	}
}

func TestFetchOddExports(t *testing.T) {
	t.Parallel()
	c, v := start(t, reads)
	v.Export(table())
	v.States("completed", "processing")
	_, cursor := turn(t, c, "")
	if told, same := turn(t, c, cursor); len(told) != 0 || same != cursor {
		t.Error("an export under way was read")
	}
	v.States("completed", "failed")
	_, cursor = turn(t, c, cursor)
	if _, same := turn(t, c, cursor); same != cursor {
		t.Error("an export that failed was made again at once")
	}
	v.pass(3 * time.Hour)
	v.States("completed", "finished")
	_, cursor = turn(t, c, cursor)
	for name, text := range map[string]string{
		"without a column": "{Person}.email,other\na@example.com,1",
		"too large":        table(strings.Repeat("a@example.com,b,c,1\n", 20001)),
	} {
		v.Export(text)
		var e *connectors.PushError
		if _, err := c.Fetch(t.Context(), cursor); !errors.As(err, &e) || !strings.HasPrefix(e.Error(), "demandbase: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Columns under labels are known by their place, odd bytes are no harm.
	v.Export("\xef\xbb\xbfE-mail,Company,Stage,Points\ndana@example.com,Ac\x00me \xff,Aware\n\"lee\"@example.com,x")
	if told, next := turn(t, c, cursor); len(told) != 0 || next == cursor {
		t.Errorf("told %v", told)
	}
	// The address of the results lives a day.
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/results") {
			reply(w, http.StatusForbidden, "<Error/>")
			return true
		}
		return false
	})
	if _, next := turn(t, c, cursor); next == cursor {
		t.Error("results that are gone were asked for again")
	}
	v.answer(nil)
	for _, odd := range []string{"{", `{"seen":"*"}`, `{"seen":"AAAA"}`, "[]"} {
		if _, err := c.Fetch(t.Context(), odd); err != nil {
			t.Errorf("cursor %s: %v", odd, err)
		}
	}
}

// An export that never comes to its end is given up after a day.
func TestFetchGivesUpAnExport(t *testing.T) {
	t.Parallel()
	c, v := start(t, reads)
	v.Export(table())
	v.States("completed", "processing")
	_, cursor := turn(t, c, "")
	v.pass(23 * time.Hour)
	if _, same := turn(t, c, cursor); same != cursor {
		t.Error("given up too early")
	}
	v.pass(2 * time.Hour)
	_, cursor = turn(t, c, cursor)
	v.pass(3 * time.Hour)
	v.States("completed", "finished")
	turn(t, c, cursor)
	if n := len(v.Exports()); n != 2 {
		t.Errorf("%d exports, want a second one", n)
	}
}

func TestFetchIsSwitchedOff(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	got, err := c.Fetch(t.Context(), "x")
	if err != nil || got.Cursor != "x" || got.More || len(v.took()) != 0 {
		t.Errorf("fetch: %+v, %v", got, err)
	}
	if c.Interval() < 5*time.Minute {
		t.Errorf("interval %v: more than 288 questions a day", c.Interval())
	}
}
