package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/secret"
)

// connectionForm is the form that makes or changes a connection, filled again
// where it was refused. It is generated from the connector's descriptor.
type connectionForm struct {
	// ID is fixed once the connection exists.
	ID        string
	Exists    bool
	Connector string
	Name      string
	Summary   string
	Version   int64
	Secrets   []formField
	Settings  []formField
	Enabled   bool
	Create    bool
	Segments  string
	Stages    string // a line each: ours = theirs
	// Since and MaxAge cut off moves that are too old to be told.
	Since, MaxAge string
	Mistakes      []Mistake
}

type formField struct {
	connectors.FieldSpec
	Value string
	// Set: a secret is there already; leaving the field empty keeps it.
	Set   bool
	Wrong string
}

func (w *Web) newConnectionPage(c echo.Context) error {
	f, err := w.emptyForm(c.QueryParam("connector"))
	if err != nil {
		return err
	}
	f.ID = f.Connector
	return w.render(c, http.StatusOK, "connection_form", "Connect "+f.Name, f)
}

func (w *Web) emptyForm(connector string) (connectionForm, error) {
	all := w.descriptors()
	i := slices.IndexFunc(all, func(d *connectors.Descriptor) bool { return d.ID == connector })
	if i < 0 {
		return connectionForm{}, &Problem{Status: http.StatusNotFound, Title: "Not found", Detail: "there is no such connector; choose one on the page Connections"}
	}
	d := all[i]
	f := connectionForm{Connector: d.ID, Name: d.Name, Summary: d.Summary}
	for _, spec := range d.Secrets {
		f.Secrets = append(f.Secrets, formField{FieldSpec: spec})
	}
	for _, spec := range d.Settings {
		f.Settings = append(f.Settings, formField{FieldSpec: spec})
	}
	return f, nil
}

func (w *Web) editConnectionPage(c echo.Context) error {
	f, err := w.formOf(c)
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "connection_form", "Edit "+f.ID, f)
}

// formOf gives the form of an existing connection.
func (w *Web) formOf(c echo.Context) (connectionForm, error) {
	conn, err := w.registry.Find(c.Request().Context(), c.Param("id"))
	if err != nil {
		return connectionForm{}, err
	}
	f, err := w.emptyForm(conn.Connector)
	if err != nil {
		return f, err
	}
	b := w.connectionOf(conn)
	f.ID, f.Exists, f.Version = conn.ID, true, conn.Version
	f.Enabled, f.Create, f.Segments = conn.Push.Enabled, conn.Push.Create, conn.Push.Segments
	if len(conn.Push.SegmentNames) > 0 {
		f.Segments = strings.Join(conn.Push.SegmentNames, ", ")
	}
	for i := range f.Secrets {
		_, f.Secrets[i].Set = b.Secrets[f.Secrets[i].Name]
	}
	for i := range f.Settings {
		f.Settings[i].Value = b.Settings[f.Settings[i].Name]
	}
	var lines []string
	for ours, theirs := range conn.Push.Stages {
		lines = append(lines, ours+" = "+theirs)
	}
	slices.Sort(lines)
	f.Stages = strings.Join(lines, "\n")
	f.Since, f.MaxAge = when(conn.Push.Since), conn.Push.MaxAge
	return f, nil
}

func (w *Web) createConnection(c echo.Context) error {
	f, err := w.emptyForm(c.FormValue("connector"))
	if err != nil {
		return err
	}
	f.ID = strings.TrimSpace(c.FormValue("id"))
	in, err := f.read(c, connectors.PushConfig{})
	if err == nil {
		_, err = w.admin.Create(c.Request().Context(), in)
	}
	return w.saved(c, f, err)
}

func (w *Web) updateConnection(c echo.Context) error {
	f, err := w.formOf(c)
	if err != nil {
		return err
	}
	conn, err := w.registry.Find(c.Request().Context(), f.ID)
	if err != nil {
		return err
	}
	// What the form does not show stays as it is.
	in, err := f.read(c, conn.Push)
	if err == nil {
		in.Version = f.Version
		_, err = w.admin.Update(c.Request().Context(), in)
	}
	return w.saved(c, f, err)
}

// saved leads to the connection, or shows the form again with what is wrong.
func (w *Web) saved(c echo.Context, f connectionForm, err error) error {
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/connections/"+f.ID)
	}
	p := problemOf(err)
	var invalid *jobs.Invalid
	if !errors.As(err, &invalid) && p.Status != http.StatusConflict && p.Status != http.StatusBadRequest {
		return err
	}
	f.Mistakes = p.Mistakes
	if len(f.Mistakes) == 0 {
		f.Mistakes = []Mistake{{Detail: p.Title + ": " + p.Detail}}
	}
	for _, fields := range [][]formField{f.Secrets, f.Settings} {
		for i := range fields {
			for _, m := range f.Mistakes {
				if m.Field == fields[i].Name {
					fields[i].Wrong = m.Detail
				}
			}
		}
	}
	return w.render(c, http.StatusUnprocessableEntity, "connection_form", "Not saved", f)
}

// read takes what was typed, into the form and into the input.
func (f *connectionForm) read(c echo.Context, push connectors.PushConfig) (jobs.ConnectionInput, error) {
	user := author(c)
	in := jobs.ConnectionInput{ID: f.ID, Connector: f.Connector, Settings: map[string]string{}, Secrets: map[string]secret.Text{}, Push: &push, Author: user}
	for i := range f.Secrets {
		// An empty field keeps what is there: browsers never show a secret again.
		if v := strings.TrimSpace(c.FormValue("secret." + f.Secrets[i].Name)); v != "" {
			in.Secrets[f.Secrets[i].Name] = secret.New(v)
		}
	}
	for i := range f.Settings {
		v := strings.TrimSpace(c.FormValue("setting." + f.Settings[i].Name))
		f.Settings[i].Value = v
		if v != "" {
			in.Settings[f.Settings[i].Name] = v
		}
	}
	f.Enabled, f.Create = c.FormValue("enabled") != "", c.FormValue("create") != ""
	f.Segments, f.Stages = strings.TrimSpace(c.FormValue("segments")), c.FormValue("stages")
	push.Enabled, push.Create = f.Enabled, f.Create
	push.Segments, push.SegmentNames = "", nil
	if f.Segments == "" || f.Segments == "all" || f.Segments == "none" {
		push.Segments = f.Segments
	} else {
		for name := range strings.SplitSeq(f.Segments, ",") {
			if name = strings.TrimSpace(name); name != "" {
				push.SegmentNames = append(push.SegmentNames, name)
			}
		}
	}
	push.Stages = nil
	for line := range strings.Lines(f.Stages) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		ours, theirs, ok := strings.Cut(line, "=")
		if ours, theirs = strings.TrimSpace(ours), strings.TrimSpace(theirs); !ok || ours == "" || theirs == "" {
			return in, badRequest("push.stages", "has the line %q, want: our stage = theirs", line)
		}
		if push.Stages == nil {
			push.Stages = map[string]string{}
		}
		push.Stages[ours] = theirs
	}
	return in, f.readCutOff(c, &push)
}

// readCutOff takes which moves are too old: a day, which begins at midnight UTC,
// or a time, and a length. A form without the fields leaves them as they are.
func (f *connectionForm) readCutOff(c echo.Context, push *connectors.PushConfig) error {
	given := c.Request().Form
	if given.Has("max_age") {
		f.MaxAge = strings.TrimSpace(given.Get("max_age"))
		push.MaxAge = f.MaxAge
	}
	if !given.Has("since") {
		return nil
	}
	f.Since = strings.TrimSpace(given.Get("since"))
	text := f.Since
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		text += "T00:00:00Z"
	}
	var err error
	push.Since, err = instantOf("push.since", text)
	return err
}
