package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// draft is a text in an editor: what is typed, on which version it is based,
// and what is wrong with it.
type draft struct {
	Source   string
	Version  int64
	Checked  bool // without mistakes
	Mistakes []Mistake
	Note     string
	// Why is what was typed as the reason of the change.
	Why      string
	Versions []store.Versioned
}

// typed reads an editor's form. Browsers send line ends as CR LF.
func typed(c echo.Context) (draft, error) {
	d := draft{Source: unixLines(c.FormValue("source")), Why: c.FormValue("note")}
	var err error
	if d.Version, err = strconv.ParseInt(c.FormValue("version"), 10, 64); err != nil {
		return d, badRequest("version", "is missing from the form; open the page again")
	}
	return d, nil
}

func unixLines(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != '\r' || i+1 < len(s) && s[i+1] != '\n' {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// refused keeps what was typed beside what is wrong with it; an error that is
// not about the text goes on.
func (d *draft) refused(err error) error {
	p := problemOf(err)
	switch p.Status {
	case http.StatusUnprocessableEntity:
		d.Mistakes = p.Mistakes
	case http.StatusPreconditionFailed:
		d.Mistakes = []Mistake{{Detail: "Somebody else published meanwhile. What you typed is kept below; open the page in another tab to see theirs."}}
	case http.StatusConflict:
		d.Mistakes = []Mistake{{Detail: p.Detail}}
	default:
		return err
	}
	return nil
}

// publishTyped publishes and gives the version that the editor is then based on.
func publishTyped(d *draft, publish func(store.Versioned) (int64, error), user string) (int64, error) {
	version, err := publish(store.Versioned{Source: d.Source, Author: user, Note: d.Why})
	if err != nil {
		return d.Version, err
	}
	d.Note = "Published as version " + strconv.FormatInt(version, 10) + "."
	return version, nil
}

// planWords lists what the plan's editor completes: its events, the traits it
// reads, and what conditions are made of.
func planWords(plan *lifecycle.Plan) string {
	all := []string{"at_least(", "count(", "has_been(", "idle(", "in_stage_for(", "inactive(", "left(", "never(", "seen(", "sum(", "was(", "within("}
	for name := range plan.Events() {
		all = append(all, string(name))
	}
	for _, name := range plan.ReadsTraits() {
		all = append(all, "traits."+name)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
