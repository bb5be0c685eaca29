package web

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/web/openapi"
)

// apiRoot is where the API begins.
const apiRoot = "/api/v1"

// operation is one method of one path of the API. Its route and its description
// are both made from it, so that neither is there without the other; the role
// it asks for is access.Least's.
type operation struct {
	method, path string // the path as Echo has it, below apiRoot
	name         string // unique; what generated clients call it
	summary      string
	detail       string
	handle       echo.HandlerFunc
	params       []openapi.Parameter // of query and headers; those of the path follow from it
	body         *operationBody
	answers      []operationAnswer
	refusals     []int // beside those that follow from the above
	offered      func(*Web) bool
}

// operationBody is what a request carries: a value of Go as JSON, or YAML.
type operationBody struct {
	value    reflect.Type // nil: YAML
	about    string
	required []string
	example  string
}

// operationAnswer is one success. A status may have several, of which a request
// chooses by Accept.
type operationAnswer struct {
	status  int
	kind    string       // media type; "" for none
	value   reflect.Type // nil: no schema
	about   string
	headers []string
}

// operationGroup is a chapter of the description.
type operationGroup struct {
	name, title, about string
	operations         []*operation
}

func get(path, name, summary string, h echo.HandlerFunc) *operation {
	return &operation{method: http.MethodGet, path: path, name: name, summary: summary, handle: h}
}

func post(path, name, summary string, h echo.HandlerFunc) *operation {
	return &operation{method: http.MethodPost, path: path, name: name, summary: summary, handle: h}
}

func put(path, name, summary string, h echo.HandlerFunc) *operation {
	return &operation{method: http.MethodPut, path: path, name: name, summary: summary, handle: h}
}

func remove(path, name, summary string, h echo.HandlerFunc) *operation {
	return &operation{method: http.MethodDelete, path: path, name: name, summary: summary, handle: h}
}

// about says more than the summary.
func (o *operation) about(detail string) *operation {
	o.detail = detail
	return o
}

// with adds parameters.
func (o *operation) with(params ...openapi.Parameter) *operation {
	o.params = append(o.params, params...)
	return o
}

// paged adds the parameters of lists.
func (o *operation) paged() *operation {
	return o.with(limitParameter(), query("next", "the cursor that the page before gave", openapi.Text(), ""))
}

// takes says what JSON the request carries, and which members it must have.
func (o *operation) takes(value any, example string, required ...string) *operation {
	o.body = &operationBody{value: reflect.TypeOf(value), example: example, required: required}
	return o
}

// takesYAML says what text the request carries.
func (o *operation) takesYAML(about, example string) *operation {
	o.body = &operationBody{about: about, example: example}
	return o
}

// gives adds a success with JSON.
func (o *operation) gives(status int, value any, headers ...string) *operation {
	o.answers = append(o.answers, operationAnswer{status: status, kind: "application/json", value: reflect.TypeOf(value), headers: headers})
	return o
}

// givesText adds a success of another media type.
func (o *operation) givesText(status int, kind, about string, headers ...string) *operation {
	o.answers = append(o.answers, operationAnswer{status: status, kind: kind, about: about, headers: headers})
	return o
}

// givesNothing adds a success without a body.
func (o *operation) givesNothing(status int, headers ...string) *operation {
	return o.givesText(status, "", "", headers...)
}

// refuses adds statuses of problems.
func (o *operation) refuses(statuses ...int) *operation {
	o.refusals = append(o.refusals, statuses...)
	return o
}

// ifWorks leaves it out where no long work is done.
func (o *operation) ifWorks() *operation {
	o.offered = func(w *Web) bool { return w.admin.Works != nil }
	return o
}

// ifNotices leaves it out where nobody is told anything.
func (o *operation) ifNotices() *operation {
	o.offered = func(w *Web) bool { return w.notices != nil }
	return o
}

// problems are the statuses of all refusals, in order.
func (o *operation) problems() []int {
	all := append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}, o.refusals...)
	if o.method != http.MethodGet {
		all = append(all, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity)
	}
	if len(pathParameters(o.path)) > 0 {
		all = append(all, http.StatusNotFound)
	}
	if len(o.params) > 0 {
		all = append(all, http.StatusBadRequest)
	}
	if o.body != nil {
		all = append(all, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
		if o.body.value != nil {
			all = append(all, http.StatusUnsupportedMediaType)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// apiRoutes adds every operation that this process offers to Echo.
func (w *Web) apiRoutes(g *echo.Group) {
	for _, group := range w.operationGroups() {
		for _, o := range group.operations {
			g.Add(o.method, o.path, o.handle)
		}
	}
}

// operationGroups gives the chapters with the operations that w offers; with
// nil all that there are, for their description.
func (w *Web) operationGroups() []operationGroup {
	all := []operationGroup{
		w.connectionOperations(), w.rulesOperations(), w.planOperations(), w.violationOperations(),
		w.peopleOperations(), w.identityOperations(), w.erasureOperations(), w.accountOperations(), w.segmentOperations(),
		w.inboxOperations(), w.syncOperations(), w.reportOperations(), w.jobOperations(),
		w.notificationOperations(), w.accessOperations(), w.descriptionOperations(),
	}
	if w == nil {
		return all
	}
	for i := range all {
		all[i].operations = slices.DeleteFunc(all[i].operations, func(o *operation) bool { return o.offered != nil && !o.offered(w) })
	}
	return slices.DeleteFunc(all, func(g operationGroup) bool { return len(g.operations) == 0 })
}
