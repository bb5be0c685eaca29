//go:build !race

package chaos_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// database looks at the program's database from outside, in plain SQL.
type database struct{ *sql.DB }

func open(t *testing.T, s *services, p *program) database {
	t.Helper()
	driver, source := "pgx", s.postgres
	if source == "" {
		driver, source = "sqlite", "file:"+filepath.Join(p.data, "stagebridge.db")+"?mode=ro&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return database{db}
}

func (db database) number(query string) (int64, error) {
	var n int64
	err := db.QueryRow(query).Scan(&n)
	return n, err
}

// atRest reports whether every raw event is processed, everybody is as they
// should be at every vendor, no timer is due, and HubSpot has told all.
func (db database) atRest(v *vendors) (bool, string) {
	queries := map[string]string{
		"pending": "select count(*) from pending",
		"due":     "select count(*) from sync where due_at > 0",
		"timers":  fmt.Sprintf("select count(*) from profiles where next_check > 0 and next_check <= %d", time.Now().UnixMicro()),
	}
	seen, rest := []string{}, true
	for name, q := range queries {
		n, err := db.number(q)
		rest = rest && err == nil && n == 0
		seen = append(seen, fmt.Sprintf("%s %d (%v)", name, n, err))
	}
	if n := v.hubspot.Pending(); n > 0 {
		rest, seen = false, append(seen, fmt.Sprintf("webhooks of HubSpot %d", n))
	}
	return rest, strings.Join(seen, ", ")
}

// checkInbox holds the inbox against what was acknowledged: each event once,
// under its receipt, with its bytes.
func (db database) checkInbox(t *testing.T, c *clients) {
	t.Helper()
	bodies := map[int64][]byte{}
	rows, err := db.Query("select i.id, i.body, coalesce(o.status, 0), coalesce(o.reason, '') from inbox i left join outcomes o on o.id = i.id where i.connection = 'app'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, status int64
		var body []byte
		var reason string
		if err := rows.Scan(&id, &body, &status, &reason); err != nil {
			t.Fatal(err)
		}
		bodies[id] = body
		if status != 1 {
			t.Errorf("inbox %d has status %d, %s", id, status, reason)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != len(c.story) {
		t.Errorf("%d raw events for %d deliveries", len(bodies), len(c.story))
	}
	for _, e := range c.story {
		if body := bodies[c.receipts[e.id]]; !bytes.Equal(body, e.body) {
			t.Errorf("%s: under its receipt %d is %.80q", e.id, c.receipts[e.id], body)
		}
		delete(bodies, c.receipts[e.id]) // so that no two share one
	}
	db.checkSync(t)
	for table, q := range map[string]string{
		"echoes taken for real":     "select count(*) from outcomes where connection = 'crm' and reason <> 'echo'",
		"counters below zero":       "select count(*) from counters where value < 0",
		"leases nobody holds":       "select count(*) from sync where lease > 0",
		"members of no one":         "select count(*) from memberships m where not exists (select 1 from profiles p where p.id = m.person and p.merged = 0)",
		"keys of people who merged": "select count(*) from keys k where not exists (select 1 from profiles p where p.id = k.person and p.merged = 0)",
	} {
		if n, err := db.number(q); err != nil || n != 0 {
			t.Errorf("%d %s (%v)", n, table, err)
		}
	}
}

// checkSync wants everybody synced everywhere, and nobody who was merged there.
func (db database) checkSync(t *testing.T) {
	t.Helper()
	rows, err := db.Query(`select s.connection, s.person, s.state, s.reason, s.message, s.lease, p.merged from sync s
		left join profiles p on p.id = s.person where s.state <> 'synced' or p.merged > 0 or p.id is null limit 10`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var connection, state, reason, message string
		var person, lease int64
		var merged sql.NullInt64
		if err := rows.Scan(&connection, &person, &state, &reason, &message, &lease, &merged); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s: person %d (merged into %v) is %s, %s: %s; lease %d", connection, person, merged, state, reason, message, lease)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// checkCounters holds the kept counts, which every transaction adds to, against
// what they count: an effect written twice, or lost, shows here.
func (db database) checkCounters(t *testing.T, people []person, events int) {
	t.Helper()
	want := map[string]int64{"/people": int64(len(people)), "app/done": int64(events)}
	for _, p := range people {
		want["/stage:"+string(p.profile.Stage)]++
		for _, s := range p.profile.Segments {
			want["/segment:"+string(s.Name)]++
		}
	}
	rows, err := db.Query("select connection, name, value from counters where name in ('people', 'done') or name like 'stage:%' or name like 'segment:%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var connection, name string
		var value int64
		if err := rows.Scan(&connection, &name, &value); err != nil {
			t.Fatal(err)
		}
		if got := want[connection+"/"+name]; got != value {
			t.Errorf("counter %s of %q is %d, but there are %d", name, connection, value, got)
		}
		delete(want, connection+"/"+name)
	}
	if err := rows.Err(); err != nil || len(want) > 0 {
		t.Errorf("counters: %v; never counted: %v", err, want)
	}
}
