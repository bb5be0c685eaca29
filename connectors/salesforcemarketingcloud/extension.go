package salesforcemarketingcloud

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// Lengths of the columns; 4,000 is the most that a text column holds.
const (
	keyLength      = 254
	stageLength    = 256
	segmentsLength = 4000
	traitLength    = 500
)

// extension is the data extension that holds the rows. It is found, or made, on
// first use.
type extension struct {
	api    *api
	name   string
	given  string // external key, where the setting names one
	folder string
	create bool
	// columns are those of push.traits.
	columns []string

	mu    sync.Mutex
	found *customObject
}

// customObject is a data extension in the API.
type customObject struct {
	ID   string `json:"id"`
	Key  string `json:"key"`
	Name string `json:"name"`
}

// newObject is the body that makes one.
type newObject struct {
	Name     string  `json:"name"`
	Folder   int64   `json:"categoryId,omitempty"`
	Sendable bool    `json:"isSendable"`
	Field    string  `json:"sendableCustomObjectField"`
	Relates  string  `json:"sendableSubscriberField"`
	Fields   []field `json:"fields"`
}

type field struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Length   int    `json:"length,omitempty"`
	Primary  bool   `json:"isPrimaryKey"`
	Nullable bool   `json:"isNullable"`
	Ordinal  int    `json:"ordinal"`
}

// rowset is the path of the rows, for writing.
func (x *extension) rowset(ctx context.Context) (string, error) {
	object, err := x.object(ctx, x.create)
	switch {
	case err != nil:
		return "", err
	case object == nil:
		return "", settingError("find the data extension", fmt.Sprintf("there is no data extension %q; create it as the guide says, or let it be created", x.name))
	case object.ID == "":
		return "/hub/v1/dataevents/key:" + url.PathEscape(object.Key) + "/rowset", nil
	}
	return "/hub/v1/dataevents/" + url.PathEscape(object.ID) + "/rowset", nil
}

// object gives the data extension; nil where there is none and it may not be
// made. What was found is remembered.
func (x *extension) object(ctx context.Context, create bool) (*customObject, error) {
	if x.given != "" {
		return &customObject{Key: x.given}, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.found != nil {
		return x.found, nil
	}
	var answer struct {
		Items []customObject `json:"items"`
	}
	query := url.Values{"$search": {x.name}, "$pageSize": {"100"}}
	if err := x.api.call(ctx, "find the data extension", http.MethodGet, "/data/v1/customobjects?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	for i, object := range answer.Items {
		if strings.EqualFold(object.Name, x.name) && object.ID != "" {
			x.found = &answer.Items[i]
			return x.found, nil
		}
	}
	if !create {
		return nil, nil
	}
	return x.make(ctx)
}

// make creates the data extension. The lock is held.
func (x *extension) make(ctx context.Context) (*customObject, error) {
	const act = "create the data extension"
	in := newObject{
		Name: x.name, Sendable: true, Field: columnKey, Relates: "_SubscriberKey",
		Fields: []field{
			{Name: columnKey, Type: "Text", Length: keyLength, Primary: true},
			{Name: columnEmail, Type: "EmailAddress", Length: keyLength, Nullable: true},
			{Name: columnStage, Type: "Text", Length: stageLength, Nullable: true},
			{Name: columnStageAt, Type: "Date", Nullable: true},
			{Name: columnSegments, Type: "Text", Length: segmentsLength, Nullable: true},
		},
	}
	if n, err := strconv.ParseInt(x.folder, 10, 64); err == nil {
		in.Folder = n
	}
	for _, column := range x.columns {
		in.Fields = append(in.Fields, field{Name: column, Type: "Text", Length: traitLength, Nullable: true})
	}
	for i := range in.Fields {
		in.Fields[i].Ordinal = i
	}
	var made customObject
	if err := x.api.call(ctx, act, http.MethodPost, "/data/v1/customobjects", in, &made); err != nil {
		return nil, err
	}
	if made.ID == "" {
		return nil, badAnswer(act, "the answer has no id")
	}
	x.found = &made
	return x.found, nil
}

// forget drops what was found, after rows were refused as belonging to nothing.
// It reports whether looking again may help.
func (x *extension) forget() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.found = nil
	return x.given == ""
}

// gone reports whether an error says that the data extension is not there.
func gone(e *connectors.PushError) bool { return e.Reason == connectors.ReasonNotFound }
