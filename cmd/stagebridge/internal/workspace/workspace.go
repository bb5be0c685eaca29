// Package workspace reads a folder of YAML files that says what an
// installation shall be: connections/<id>.yaml, rules/<id>.yaml and plan.yaml.
//
// It is all or nothing. Every mistake of every file is reported at once, with
// file, line and field, and a folder with a mistake gives no workspace, so that
// nothing is ever applied in part.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/secret"
)

// Where things are in the folder.
const (
	connectionsFolder = "connections"
	rulesFolder       = "rules"
	planFile          = "plan.yaml"
	suffix            = ".yaml"
)

// maxFiles bounds a folder that was named by mistake, such as a home folder.
const maxFiles = 2000

// idForm is what a connection's id may look like: it is part of URLs, of queue
// names and of people's keys.
var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Workspace is what a folder says.
type Workspace struct {
	// Connections, sorted by id.
	Connections []Connection
	// Rules by connection id; a connection that is not here has its connector's
	// default rules. Every id is one of Connections.
	Rules map[string]File
	// Plan is the tracking plan; nil when the folder has none.
	Plan *File
}

// File is a text as it stands in the folder, ${NAME} unexpanded.
type File struct {
	// Path as it was named in mistakes, for messages.
	Path string
	Text string
}

// Connection is one connections/<id>.yaml.
type Connection struct {
	ID        string
	Connector string
	// Settings as written, ${NAME} expanded, defaults not filled in.
	Settings map[string]string
	// Secrets by name: the current value first, then the previous one where
	// the file lists two. Expanded.
	Secrets map[string][]secret.Text
	Push    connectors.PushConfig
	File    File
}

// Options of Load.
type Options struct {
	// Root is put before the paths in mistakes; usually the folder's name.
	Root string
	// Lookup gives the value of ${NAME}.
	Lookup func(name string) (string, bool)
	// Vendors is the catalogue. Each connection is opened once to check it.
	Vendors []connectors.Vendor
	// CheckRules compiles the rules of a connection. The error is shown as it is.
	CheckRules func(file string, source []byte, c Connection) error
	// ParsePlan compiles the plan. The error is shown as it is. The stages and
	// segments that push blocks name must be the plan's.
	ParsePlan func(file string, source []byte) (*lifecycle.Plan, error)
}

// Load reads a folder. The error lists every mistake, one per line, in the
// order of the files' names; the workspace is then nil.
func Load(folder fs.FS, o Options) (*Workspace, error) {
	l := &loader{folder: folder, o: o, found: &Workspace{Rules: map[string]File{}}}
	l.list()
	planErr := l.readPlan()
	l.readConnections()
	l.readRules()
	l.add(planErr)
	if len(l.mistakes) > 0 {
		return nil, errors.Join(l.mistakes...)
	}
	return l.found, nil
}

// loader is one Load.
type loader struct {
	folder   fs.FS
	o        Options
	found    *Workspace
	mistakes []error

	connections, rules []string // paths in the folder
	hasPlan            bool
	plan               *lifecycle.Plan // nil when there is none or it has mistakes
	// ids are those that connections/ names, also where the file has mistakes.
	ids map[string]bool
}

// list sorts the files into the three places, and reports YAML files that are
// in none: a misspelt folder would otherwise be passed over in silence.
func (l *loader) list() {
	files := 0
	err := fs.WalkDir(l.folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(path.Base(name), ".") && name != ".":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("has more than %d files; is it the right folder?", maxFiles)
		}
		ext := path.Ext(name)
		switch place := path.Dir(name); {
		case ext != suffix && ext != ".yml":
		case ext == ".yml":
			l.wrong(name, "is not read; end its name in %s", suffix)
		case place == connectionsFolder:
			l.connections = append(l.connections, name)
		case place == rulesFolder:
			l.rules = append(l.rules, name)
		case name == planFile:
			l.hasPlan = true
		default:
			l.wrong(name, "is not read; a workspace is made of %s/<id>%s, %s/<id>%s and %s",
				connectionsFolder, suffix, rulesFolder, suffix, planFile)
		}
		return nil
	})
	if err != nil {
		l.wrong("", "%v", err)
	} else if len(l.connections)+len(l.rules) == 0 && !l.hasPlan && len(l.mistakes) == 0 {
		l.wrong("", "has no %s/*%s, no %s/*%s and no %s", connectionsFolder, suffix, rulesFolder, suffix, planFile)
	}
}

func (l *loader) readConnections() {
	l.ids = map[string]bool{}
	for _, name := range l.connections {
		l.ids[strings.TrimSuffix(path.Base(name), suffix)] = true
		if c, ok := l.connection(name); ok {
			l.found.Connections = append(l.found.Connections, c)
		}
	}
	slices.SortFunc(l.found.Connections, func(a, b Connection) int { return strings.Compare(a.ID, b.ID) })
}

func (l *loader) readRules() {
	for _, name := range l.rules {
		id := strings.TrimSuffix(path.Base(name), suffix)
		if !l.ids[id] {
			message := fmt.Sprintf("belongs to no connection: there is no %s/%s%s", connectionsFolder, id, suffix)
			if near := document.Nearest(id, l.known()); near != "" {
				message += "; did you mean " + near + suffix + "?"
			}
			l.wrong(name, "%s", message)
			continue
		}
		f, err := l.read(name)
		if err != nil {
			l.add(err)
			continue
		}
		// A connection with mistakes of its own still has its rules checked.
		c := Connection{ID: id}
		if i := slices.IndexFunc(l.found.Connections, func(c Connection) bool { return c.ID == id }); i >= 0 {
			c = l.found.Connections[i]
		}
		if l.o.CheckRules != nil {
			l.add(l.o.CheckRules(f.Path, []byte(f.Text), c))
		}
		l.found.Rules[id] = f
	}
}

// readPlan comes first, because connections are held against the plan; its
// mistakes are given back to be told last, where the file's name sorts.
func (l *loader) readPlan() error {
	if !l.hasPlan {
		return nil
	}
	f, err := l.read(planFile)
	if err != nil {
		return err
	}
	l.found.Plan = &f
	if l.o.ParsePlan == nil {
		return nil
	}
	l.plan, err = l.o.ParsePlan(f.Path, []byte(f.Text))
	return err
}

// read gives a file's text; one that is too large is not read.
func (l *loader) read(name string) (File, error) {
	f := File{Path: l.shown(name)}
	info, err := fs.Stat(l.folder, name)
	if err == nil && info.Size() > document.MaxBytes {
		err = fmt.Errorf("is %d bytes long; the limit is %d", info.Size(), document.MaxBytes)
	}
	if err != nil {
		return f, l.mistake(name, "%v", err)
	}
	body, err := fs.ReadFile(l.folder, name)
	if err != nil {
		return f, l.mistake(name, "%v", err)
	}
	f.Text = string(body)
	return f, nil
}

func (l *loader) known() []string {
	known := make([]string, 0, len(l.ids))
	for id := range l.ids {
		known = append(known, id)
	}
	slices.Sort(known)
	return known
}

// shown is a file's name in mistakes.
func (l *loader) shown(name string) string {
	return filepath.ToSlash(filepath.Join(l.o.Root, name))
}

func (l *loader) mistake(name, format string, args ...any) error {
	return document.Error{File: l.shown(name), Message: fmt.Sprintf(format, args...)}
}

func (l *loader) wrong(name, format string, args ...any) {
	l.add(l.mistake(name, format, args...))
}

func (l *loader) add(err error) {
	if err != nil {
		l.mistakes = append(l.mistakes, err)
	}
}
