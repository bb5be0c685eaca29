package plandocs

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"

	"github.com/stagebridge/stagebridge/lifecycle"
)

//go:embed page.html
var pageText string

// pageTemplate is parsed when the first page is asked for.
var pageTemplate = sync.OnceValues(func() (*template.Template, error) { return template.New("plan").Parse(pageText) })

// HTML writes the page as one document that needs nothing beside it.
func HTML(w io.Writer, plan *lifecycle.Plan, senders []Sender) error {
	t, err := pageTemplate()
	if err == nil {
		err = t.Execute(w, pageOf(plan, senders))
	}
	if err != nil {
		return fmt.Errorf("plandocs: html: %w", err)
	}
	return nil
}
