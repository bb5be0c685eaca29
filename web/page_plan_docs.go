package web

import (
	"bytes"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plandocs"
)

// planDocsPage answers: what does the plan say, for who reads no YAML?
type planDocsPage struct {
	// Text is the inner part of the plan's page, which was escaped when it was
	// written.
	Text template.HTML
	// Most is how many senders of an event are named at most; zero: all are.
	Most int
}

// mostSenders is how many rules an event of the page names: with many
// connections that tell the same, they would be most of it.
const mostSenders = 5

// planDocsPage shows what "stagebridge plan docs" writes, inside of our frame.
func (w *Web) planDocsPage(c echo.Context) error {
	var page bytes.Buffer
	cfg := w.registry.Config()
	senders, left := sendersOf(cfg)
	if err := jobs.WritePlanDocs(&page, "html", cfg.Plan, senders); err != nil {
		return err
	}
	inner, err := innerPage(page.String())
	if err != nil {
		return err
	}
	body := planDocsPage{Text: template.HTML(asCards(inner))}
	if left {
		body.Most = mostSenders
	}
	return w.render(c, http.StatusOK, "plan_docs", "The plan in words", body)
}

// sendersOf lists the first rules that send each event, by connection, and
// tells whether there are more.
func sendersOf(cfg *jobs.Config) ([]plandocs.Sender, bool) {
	var all []plandocs.Sender
	left, named, seen := false, map[lifecycle.EventName]int{}, map[plandocs.Sender]bool{}
	for _, id := range slices.Sorted(maps.Keys(cfg.Connections)) {
		rules := cfg.Connections[id].Rules
		if rules == nil {
			continue
		}
		for _, s := range jobs.Senders(id, rules) {
			if seen[s] {
				continue // a rule that emits it twice
			}
			seen[s] = true
			if named[s.Event]++; named[s.Event] > mostSenders {
				left = true
				continue
			}
			all = append(all, s)
		}
	}
	return all, left
}

// innerPage takes what stands in the main part of a document: its head has
// styles, which our policy forbids and our sheet replaces. A text from outside
// cannot be mistaken for the marks, since its angle brackets are escaped.
func innerPage(document string) (string, error) {
	_, rest, begun := strings.Cut(document, "<main>")
	inner, _, ended := strings.Cut(rest, "</main>")
	if !begun || !ended {
		return "", errors.New("web: plan docs: the document has no main part")
	}
	return inner, nil
}

// tableHead matches the head of a column.
var tableHead = regexp.MustCompile(`<th>([^<]*)</th>`)

// asCards lets the tables of a document turn into cards where the window is
// narrow: each cell repeats the head of its column for that.
func asCards(document string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(document, "<table>")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		table, after, _ := strings.Cut(rest, "</table>")
		heads := tableHead.FindAllStringSubmatch(table, -1)
		out.WriteString(`<div class="scroll"><table class="cards">`)
		for _, row := range strings.SplitAfter(table, "<tr>") {
			for n, cell := range strings.Split(row, "<td>") {
				switch {
				case n == 0:
				case n == 1 || n > len(heads) || strings.HasPrefix(cell, "</td>"): // it speaks for itself, or there is nothing to tell
					out.WriteString("<td>")
				default:
					out.WriteString(`<td data-label="` + heads[n-1][1] + `">`)
				}
				out.WriteString(cell)
			}
		}
		out.WriteString("</table></div>")
		document = after
	}
}
