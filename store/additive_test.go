package store

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// additive are the statements that leave a program of the version before able
// to work on beside the new one: it neither misses what it knew nor has to fill
// what it does not know.
var additive = []*regexp.Regexp{
	regexp.MustCompile(`^create table `),
	regexp.MustCompile(`^create index `),
	regexp.MustCompile(`^create view `),
	// A unique index on a new table or a new column; what it refuses must not be
	// something that the version before writes.
	regexp.MustCompile(`^create unique index `),
	regexp.MustCompile(`^alter table \w+ add column \w+ \w+$`),
	regexp.MustCompile(`^alter table \w+ add column \w+ \w+( not null)? default [^,]+$`),
	regexp.MustCompile(`^alter table \w+ alter column \w+ set storage `),
	regexp.MustCompile(`^(insert into|update|delete from) state `),
}

// statementsUp gives the statements that bring a schema up, comments left out
// and blanks made one.
func statementsUp(text string) []string {
	var up strings.Builder
	in := false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "-- +goose Up"):
			in = true
		case strings.HasPrefix(line, "-- +goose Down"):
			in = false
		case in:
			code, _, _ := strings.Cut(line, "--")
			up.WriteString(code + " ")
		}
	}
	var all []string
	for one := range strings.SplitSeq(up.String(), ";") {
		if one = strings.ToLower(strings.Join(strings.Fields(one), " ")); one != "" {
			all = append(all, one)
		}
	}
	return all
}

func isAdditive(statement string) bool {
	return slices.ContainsFunc(additive, func(r *regexp.Regexp) bool { return r.MatchString(statement) })
}

// madeAnew tells whether a statement drops a view that the same migration makes
// again: whoever explores the data finds it before and after, and the program
// itself reads none.
func madeAnew(statement string, all []string) bool {
	view, ok := strings.CutPrefix(statement, "drop view ")
	return ok && slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, "create view "+view+" ") })
}

// TestMigrationsOnlyAdd holds every migration but the first against the rule of
// docs/upgrade.md, without which replicas of two versions could not work side by
// side. A migration that takes away has to raise the state schema_oldest, which
// keeps the versions out that would miss it.
func TestMigrationsOnlyAdd(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"migrations/sqlite", "migrations/postgres"} {
		files, err := migrations.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files[1:] {
			text, err := migrations.ReadFile(path.Join(folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			statements := statementsUp(string(text))
			if len(statements) == 0 {
				t.Errorf("%s/%s: no statement is read", folder, f.Name())
			}
			raises := slices.ContainsFunc(statements, func(s string) bool { return strings.Contains(s, oldestState) })
			for _, s := range statements {
				if !isAdditive(s) && !raises && !madeAnew(s, statements) {
					t.Errorf("%s/%s: this does more than add: %.200s", folder, f.Name(), s)
				}
			}
		}
	}
}

func TestWhatTakesAwayIsNotAdditive(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"drop table people", "alter table sync drop column lease", "alter table sync rename column lease to held", "alter table sync add column x bigint not null",
		"alter table sync alter column lease type text", "delete from people", "create or replace view explore_people as select 1", "drop index people_stage",
		"alter table sync add constraint x check (lease > 0)",
	} {
		if isAdditive(s) {
			t.Errorf("%q counts as additive", s)
		}
	}
	got := statementsUp("-- +goose Up\n-- why; not\nALTER table a -- b;\n  add column c text;\n\n-- +goose Down\ndrop table a;\n")
	if len(got) != 1 || !isAdditive(got[0]) {
		t.Errorf("%q", got)
	}
}
