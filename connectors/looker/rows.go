package looker

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// kind is what each row of a delivery says about its person.
type kind struct {
	name, label string
	// needs are roles of which the result must have one.
	needs []string
}

// kinds lists them; the first is what a delivery means that says nothing.
func kinds() []kind {
	return []kind{
		{"contact", "Facts about the person", nil},
		{"stage", "The person's stage (column: stage)", []string{"stage"}},
		{"lead", "The person is a qualified lead", nil},
		{"company", "The company shows engagement (column: company)", []string{"company"}},
		{"health", "The person's health score (column: score or band)", []string{"score", "band"}},
		{"product", "The person used the product", nil},
		{"order", "The person ordered (column: order)", []string{"order"}},
	}
}

// roles are what a column may stand for.
func roles() []string {
	return []string{
		"email", "user", "anonymous", "first_name", "last_name", "phone", "country", "job_title",
		"company", "stage", "score", "level", "band", "order", "amount", "currency", "at",
	}
}

// roleTags are tags of LookML that name a role otherwise than by its own name:
// those that the actions for other tools use as well.
func roleTags() map[string]string {
	return map[string]string{
		"user_id": "user", "segment_user_id": "user", "anonymous_id": "anonymous", "segment_anonymous_id": "anonymous",
		"segment_group_id": "company", "order_id": "order", "mkto:email": "email", "phone_number": "phone",
	}
}

// assign finds the column of each role: by the settings, else by a tag, else by
// the field's own name behind its view.
func (d *delivery) assign() map[string]string {
	found := map[string]string{}
	there := map[string]bool{}
	for _, col := range d.columns {
		there[col.Name] = true
	}
	for role, name := range d.c.columns {
		if there[name] {
			found[role] = name
		}
	}
	set := func(role, name string) {
		if _, taken := found[role]; !taken && slices.Contains(roles(), role) {
			found[role] = name
		}
	}
	tags := roleTags()
	for _, col := range d.columns {
		for _, tag := range col.Tags {
			tag = strings.ToLower(strings.TrimSpace(tag))
			if role, other := tags[tag]; other {
				tag = role
			}
			set(tag, col.Name)
		}
	}
	for _, col := range d.columns {
		_, field, _ := strings.Cut(col.Name, ".")
		if role, other := tags[field]; other {
			field = role
		}
		set(field, col.Name)
	}
	return found
}

// events makes one raw event a row that names somebody, and counts the others.
func (d *delivery) events() (events []connectors.RawEvent, nobody int, refused *refusal) {
	if len(d.rows) == 0 {
		return nil, 0, nil
	}
	assigned := d.assign()
	if assigned["email"] == "" && assigned["user"] == "" && assigned["anonymous"] == "" {
		return nil, 0, &refusal{words: "no column names the person: tag one with email or user_id in LookML, or name it under Columns of the connection"}
	}
	if d.kind.needs != nil && !slices.ContainsFunc(d.kind.needs, func(role string) bool { return assigned[role] != "" }) {
		return nil, 0, &refusal{field: "kind", words: "the result has no column for this: " + strings.Join(d.kind.needs, " or ")}
	}
	for n, cells := range d.rows {
		row := map[string]any{}
		for role, name := range assigned {
			if v, ok := cells[name]; ok && string(v) != "null" && string(v) != `""` {
				row[role] = v
			}
		}
		for _, role := range []string{"email", "user", "anonymous"} {
			if text := plain(row[role]); text != "" {
				row[role] = text
			} else {
				delete(row, role)
			}
		}
		if row["email"] == nil && row["user"] == nil && row["anonymous"] == nil {
			nobody++
			continue
		}
		e, err := d.event(n, row, cells)
		if err != nil {
			return nil, 0, &refusal{words: "row " + strconv.Itoa(n+1) + " cannot be written as JSON"}
		}
		events = append(events, e)
	}
	return events, nobody, nil
}

// event makes the raw event of one row.
func (d *delivery) event(n int, row map[string]any, cells map[string]json.RawMessage) (connectors.RawEvent, error) {
	body, err := json.Marshal(map[string]any{
		"kind": d.kind.name, "list": d.list, "title": d.title, "plan": d.plan, "model": d.model, "explore": d.view, "row": row, "cells": cells,
	})
	if err != nil {
		return connectors.RawEvent{}, err
	}
	e := connectors.RawEvent{Type: "people." + d.kind.name, Body: body, At: d.at(row["at"]), Dedupe: d.dedupe(n, body)}
	if d.ownModel() {
		e.Echo = "model " + d.c.ownModel
	}
	return e, nil
}

// dedupe tells rows apart. One run of a query is one snapshot: the same row of
// the same run, delivered again or out of Looker's cache, says nothing new,
// while the same row of a later run does, since the person may have been
// otherwise in between.
func (d *delivery) dedupe(n int, body []byte) [32]byte {
	switch row := strconv.Itoa(n); {
	case d.ran != "":
		return connectors.Dedupe("run", d.plan, d.query, d.ran, row, string(body))
	case d.delivery != "":
		return connectors.Dedupe("delivery", d.delivery, row, string(body))
	default:
		return connectors.Dedupe("bytes", d.sum, row, string(body))
	}
}

// ownModel reports whether the rows are what this installation gave to Looker.
func (d *delivery) ownModel() bool { return d.c.ownModel != "" && d.model == d.c.ownModel }

// at reads the row's own time, else takes the query's.
func (d *delivery) at(v any) lifecycle.Instant {
	text := plain(v)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, d.zone); text != "" && err == nil {
			return lifecycle.At(at)
		}
	}
	return lifecycle.At(d.ranAt)
}

// plain gives a cell as a text: that of a text, the digits of a number.
func plain(v any) string {
	raw, ok := v.(json.RawMessage)
	if !ok {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return strings.TrimSpace(text)
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// named lists columns without tags, in order.
func named(names map[string]bool) []column {
	var all []column
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, column{Name: name})
	}
	return all
}
