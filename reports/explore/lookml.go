package explore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// LookML gives the files of a LookML project by path: a model with one explore
// that begins with people and joins the rest, one for raw events, and a view
// file for each view. connection is the name that the database has in Looker;
// schema is where the views are, empty for the search path.
func LookML(connection, schema string) map[string]string {
	files := map[string]string{
		"manifest.lkml":          "project_name: \"stagebridge\"\n",
		"stagebridge.model.lkml": model(connection),
	}
	for _, v := range Views() {
		files["views/"+short(v.Name)+".view.lkml"] = viewFile(v, schema)
	}
	return files
}

func short(name string) string { return strings.TrimPrefix(name, "explore_") }

func model(connection string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "connection: %s\n\ninclude: \"/views/*.view.lkml\"\n\n", quote(connection))
	b.WriteString("explore: people {\n  label: \"Lifecycle\"\n  description: \"People with their events, moves, segments and deliveries.\"\n")
	for _, v := range Views() {
		if v.Name == "explore_people" || v.Name == "explore_raw_events" {
			continue
		}
		name := short(v.Name)
		fmt.Fprintf(&b, "\n  join: %s {\n    type: left_outer\n    relationship: one_to_many\n    sql_on: ${people.person_id} = ${%s.person_id} ;;\n  }\n", name, name)
	}
	b.WriteString("}\n\nexplore: raw_events {\n  label: \"Raw events\"\n  description: \"What came in and what became of it.\"\n\n" +
		"  join: events {\n    type: left_outer\n    relationship: one_to_many\n    sql_on: ${raw_events.raw_event_id} = ${events.raw_event_id} ;;\n  }\n}\n")
	return b.String()
}

func viewFile(v View, schema string) string {
	var b strings.Builder
	table := v.Name
	if schema != "" {
		table = schema + "." + v.Name
	}
	fmt.Fprintf(&b, "# %s: %s. %s\nview: %s {\n  label: %s\n  sql_table_name: %s ;;\n", v.Label, v.Row, v.Help, short(v.Name), quote(v.Label), table)
	primary(&b, v)
	for _, c := range v.Columns {
		field(&b, v, c)
	}
	measures(&b, v)
	b.WriteString("}\n")
	return b.String()
}

// primary writes the key, which Looker needs for sums over joins.
func primary(b *strings.Builder, v View) {
	keys := keysOf(v)
	if len(keys) == 1 {
		return // the column itself says so
	}
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("CAST(${TABLE}.%s AS VARCHAR)", k.Name)
	}
	fmt.Fprintf(b, "\n  dimension: pk {\n    primary_key: yes\n    hidden: yes\n    type: string\n    sql: %s ;;\n  }\n", strings.Join(parts, " || '|' || "))
}

func keysOf(v View) []Column {
	return slices.DeleteFunc(slices.Clone(v.Columns), func(c Column) bool { return !c.Key })
}

func field(b *strings.Builder, v View, c Column) {
	if c.Type == Time {
		name := strings.TrimSuffix(c.Name, "_at")
		fmt.Fprintf(b, "\n  dimension_group: %s {\n    description: %s\n    type: time\n    timeframes: [raw, time, date, week, month, quarter, year]\n    sql: ${TABLE}.%s ;;\n  }\n", name, quote(c.Help), c.Name)
		return
	}
	fmt.Fprintf(b, "\n  dimension: %s {\n", c.Name)
	if c.Key && len(keysOf(v)) == 1 {
		b.WriteString("    primary_key: yes\n")
	}
	fmt.Fprintf(b, "    description: %s\n    type: %s\n    sql: ${TABLE}.%s ;;\n  }\n", quote(c.Help), c.Type, c.Name)
}

// measures are a count of rows, one of people, and the average stay.
func measures(b *strings.Builder, v View) {
	b.WriteString("\n  measure: count {\n    type: count\n  }\n")
	if len(keysOf(v)) == 1 && v.Name == "explore_people" {
		return
	}
	if slices.ContainsFunc(v.Columns, func(c Column) bool { return c.Name == "person_id" }) {
		b.WriteString("\n  measure: people {\n    description: \"distinct people\"\n    type: count_distinct\n    sql: ${TABLE}.person_id ;;\n  }\n")
	}
	if slices.ContainsFunc(v.Columns, func(c Column) bool { return c.Name == "days" }) {
		b.WriteString("\n  measure: average_days {\n    type: average\n    sql: ${TABLE}.days ;;\n    value_format_name: decimal_1\n  }\n" +
			"\n  measure: median_days {\n    type: median\n    sql: ${TABLE}.days ;;\n    value_format_name: decimal_1\n  }\n")
	}
}

// quote makes a LookML string.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(cmp.Or(text, " ")) + `"`
}
