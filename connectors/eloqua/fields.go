package eloqua

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of the listing of contact fields and lists.
const (
	listPage = 1000
	maxPages = 5
)

// contactFields knows the fields that contacts have. They are read when a push
// first needs one, and again after one was found missing.
type contactFields struct {
	api    *api
	create bool

	mu    sync.Mutex
	known map[string]bulkField // by name and by internal name, lower case; nil: not read yet
}

// all gives the fields as far as they were read. The map is not changed
// afterwards.
func (f *contactFields) all() map[string]bulkField {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

func (f *contactFields) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// ensure makes contacts have the given fields and answers with those that they
// lack. Only the field named create is made.
func (f *contactFields) ensure(ctx context.Context, names []string, create string) (missing []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lacking(names)) > 0 {
		if err := f.read(ctx); err != nil {
			return nil, err
		}
	}
	missing = f.lacking(names)
	if !f.create || !slices.Contains(missing, create) {
		return missing, nil
	}
	body := map[string]string{"name": create, "dataType": "text", "displayType": "text", "updateType": "always"}
	if err := f.api.call(ctx, "create contact field "+create, http.MethodPost, rest+"/assets/contact/field", body, nil); err != nil {
		return nil, ofSettings(err)
	}
	if err := f.read(ctx); err != nil {
		return nil, err
	}
	return f.lacking(names), nil
}

func (f *contactFields) lacking(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, ok := f.known[strings.ToLower(name)]
		return ok
	})
}

func (f *contactFields) read(ctx context.Context) error {
	known := map[string]bulkField{}
	for n := range maxPages {
		var got page[bulkField]
		path := bulk + "/contacts/fields?" + query("limit", strconv.Itoa(listPage), "offset", strconv.Itoa(n*listPage))
		if err := f.api.call(ctx, "list contact fields", http.MethodGet, path, nil, &got); err != nil {
			return ofSettings(err)
		}
		for _, field := range got.Items {
			// An internal name is unique, a name need not be: the first one stays.
			for _, name := range []string{field.Internal, field.Name} {
				if _, taken := known[strings.ToLower(name)]; name != "" && !taken {
					known[strings.ToLower(name)] = field
				}
			}
		}
		if !got.HasMore {
			break
		}
	}
	f.known = known
	return nil
}

// number gives the field's number in the REST API, "" where it is not known.
func (f *contactFields) number(name string) string {
	uri := f.all()[strings.ToLower(name)].URI
	return uri[strings.LastIndexByte(uri, '/')+1:]
}

// prepare makes sure of every field that the open tasks write.
func (p *push) prepare(ctx context.Context) {
	var names []string
	tasks := p.open()
	for _, t := range tasks {
		for _, name := range t.columns() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	missing, err := p.c.fields.ensure(ctx, names, p.c.stageField)
	if err != nil {
		p.fail(tasks, err)
		return
	}
	for _, t := range tasks {
		for _, name := range t.columns() {
			if slices.Contains(missing, name) {
				t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonSettings, Message: "Eloqua has no contact field " + name})
			}
		}
	}
}

// missingLife is how long a list is believed not to be there: nobody can be
// taken off it, so that it need not be asked for with every push.
const missingLife = 10 * time.Minute

// sharedLists knows the shared lists that segments are, by name.
type sharedLists struct {
	api    *api
	create bool
	now    func() time.Time

	mu      sync.Mutex
	ids     map[string]string
	missing map[string]time.Time // until when
}

func (l *sharedLists) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids, l.missing = nil, nil
}

// find gives the number of a list; "" when there is none. With create it is
// made where that is allowed.
func (l *sharedLists) find(ctx context.Context, name string, create bool) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id := l.ids[name]; id != "" || !create && l.now().Before(l.missing[name]) {
		return id, nil
	}
	var got page[bulkField]
	// Spaces and quotes cannot stand in a search; * is any characters, so what is
	// found is compared.
	like := strings.NewReplacer(" ", "*", `"`, "*", "'", "*").Replace(name)
	err := l.api.call(ctx, "find a shared list", http.MethodGet, bulk+"/contacts/lists?"+query("q", `"name=`+like+`"`), nil, &got)
	if err != nil {
		return "", ofSettings(err)
	}
	id := ""
	for _, list := range got.Items {
		if list.Name == name {
			id = list.URI[strings.LastIndexByte(list.URI, '/')+1:]
		}
	}
	if id == "" && create && l.create {
		var made struct {
			ID string `json:"id"`
		}
		if err := l.api.call(ctx, "create a shared list", http.MethodPost, rest+"/assets/contact/list", map[string]string{"name": name, "scope": "global"}, &made); err != nil {
			return "", ofSettings(err)
		}
		id = made.ID
	}
	if l.ids == nil {
		l.ids, l.missing = map[string]string{}, map[string]time.Time{}
	}
	switch {
	case id == "":
		l.missing[name] = l.now().Add(missingLife)
		return "", nil
	case !idForm.MatchString(id):
		return "", badAnswer("find a shared list")
	}
	l.ids[name] = id
	return id, nil
}
