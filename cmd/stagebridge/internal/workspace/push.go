package workspace

import (
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// readPush reads the push block. One that is missing pushes nothing. The plan,
// where there is one, knows which stages and segments may be named.
func readPush(r *document.Reader, plan *lifecycle.Plan) connectors.PushConfig {
	p := connectors.PushConfig{Segments: "all"}
	r.Map("push", func(m *document.Reader) {
		p.Enabled = m.Bool("enabled")
		p.Create = m.Bool("create")
		p.Stages = texts(m, "stages")
		p.Unmapped = m.OptText("unmapped")
		if !slices.Contains([]string{"", "skip", "keep"}, p.Unmapped) {
			m.Fail("unmapped", "is %s, want skip or keep", p.Unmapped)
		}
		p.Segments, p.SegmentNames = segments(m)
		p.Traits = texts(m, "traits")
		p.Audience = m.OptText("audience")
		p.Since = since(m)
		p.MaxAge = m.OptText("max_age")
		if _, err := lifecycle.ParseWindow(p.MaxAge); err != nil && p.MaxAge != "" {
			m.Fail("max_age", "%s", err)
		}
		p.Lifecycles = readLifecycles(m, plan)
		if err := p.CheckLifecycles(); err != nil {
			m.Fail("lifecycles", "%s", err)
		}
		p.Accounts = readAccounts(m, plan)
		m.Unknown()
		if plan != nil {
			checkNames(m, plan)
		}
	})
	return p
}

// segments is all (also when missing), none, or a list of names.
func segments(m *document.Reader) (string, []string) {
	if m.Kind("segments") == document.List {
		return "", m.Texts("segments")
	}
	switch s := m.OptText("segments"); s {
	case "", "all":
		return "all", nil
	case "none":
		return s, nil
	default:
		m.Fail("segments", "is %s, want all, none or a list of names such as [%s]", s, s)
		return "", nil
	}
}

// checkNames reports stages and segments that the plan does not have.
func checkNames(m *document.Reader, plan *lifecycle.Plan) {
	var stages, held []string
	for _, s := range plan.StageNames() {
		stages = append(stages, string(s))
	}
	for _, s := range plan.Segments() {
		held = append(held, string(s.Name))
	}
	checkAgainst(m, "stage", stages, "segment", held)
}

// checkAgainst reports the stages, segments and the audience of a push block
// that are not among the names known.
func checkAgainst(m *document.Reader, stage string, stages []string, segment string, held []string) {
	check := func(r *document.Reader, field, kind, name string, known []string) {
		if name == "" || slices.Contains(known, name) {
			return
		}
		message := "names " + name + ", which is no " + kind + " of plan.yaml"
		if near := document.Nearest(name, known); near != "" {
			message += "; did you mean " + near + "?"
		}
		r.Fail(field, "%s", message)
	}
	if m.Kind("stages") == document.Map {
		m.Entries("stages", func(name string, value *document.Reader) { check(value, "", stage, name, stages) })
	}
	if m.Kind("segments") == document.List {
		m.List("segments", func(item *document.Reader) { check(item, "", segment, item.Node().Text, held) })
	}
	// Accounts have no audience; there it is a field that is not known.
	if segment == "segment" && m.Kind("audience") == document.Text {
		check(m, "audience", segment, m.OptText("audience"), held)
	}
}

// since is a cut-off as RFC 3339; zero when missing.
func since(m *document.Reader) lifecycle.Instant {
	s := m.OptText("since")
	if s == "" {
		return 0
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		m.Fail("since", "is %s, want a time such as 2026-01-31T00:00:00Z", s)
		return 0
	}
	return lifecycle.At(at)
}

// texts is a map of free keys to texts; nil when missing.
func texts(m *document.Reader, field string) map[string]string {
	var all map[string]string
	m.Entries(field, func(key string, value *document.Reader) {
		if all == nil {
			all = map[string]string{}
		}
		all[key] = value.Text("")
	})
	return all
}

// readAccounts reads the push block of accounts; nil when missing.
func readAccounts(m *document.Reader, plan *lifecycle.Plan) *connectors.PushConfig {
	var p *connectors.PushConfig
	m.Map("accounts", func(a *document.Reader) {
		p = &connectors.PushConfig{Enabled: a.Bool("enabled"), Create: a.Bool("create"), Stages: texts(a, "stages"), Unmapped: a.OptText("unmapped")}
		if !slices.Contains([]string{"", "skip", "keep"}, p.Unmapped) {
			a.Fail("unmapped", "is %s, want skip or keep", p.Unmapped)
		}
		p.Segments, p.SegmentNames = segments(a)
		a.Unknown()
		if plan == nil {
			return
		}
		if !plan.HasAccounts() {
			a.Fail("", "pushes accounts, of which plan.yaml says nothing")
			return
		}
		var stages, held []string
		for _, s := range plan.AccountStages() {
			stages = append(stages, s.Name)
		}
		for _, s := range plan.AccountSegments() {
			held = append(held, s.Name)
		}
		checkAgainst(a, "stage of accounts", stages, "segment of accounts", held)
	})
	return p
}
