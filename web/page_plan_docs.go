package web

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"
)

// planDocsPage answers: what does the plan say, for who reads no YAML?
type planDocsPage struct {
	// Text is the inner part of the plan's page, which was escaped when it was
	// written.
	Text template.HTML
}

// planDocsPage shows the page that "stagebridge plan docs" writes inside of our
// frame.
func (w *Web) planDocsPage(c echo.Context) error {
	var page bytes.Buffer
	if err := w.admin.WritePlanDocs(c.Request().Context(), &page, "html"); err != nil {
		return err
	}
	inner, err := innerPage(page.String())
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "plan_docs", "The plan in words", planDocsPage{template.HTML(asCards(inner))})
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
