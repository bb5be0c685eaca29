package openapi_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/web/openapi"
)

type inner struct {
	Name string `json:"name"`
	Gone string `json:"-"`
}

type thingBody struct {
	inner
	ID    int64           `json:"id,string"`
	At    time.Time       `json:"at"`
	Raw   json.RawMessage `json:"raw,omitempty"`
	Score *float64        `json:"score"`
	Few   *inner          `json:"few,omitempty"`
	Kids  []thingBody     `json:"kids"`
	By    map[string]bool `json:"by"`
}

// TestTypes: schemas say what encoding/json writes, and what it is to read.
func TestTypes(t *testing.T) {
	t.Parallel()
	types := &openapi.Types{Comments: map[string]string{
		reflect.TypeFor[thingBody]().PkgPath() + ".thingBody": "thingBody is a thing.", reflect.TypeFor[thingBody]().PkgPath() + ".thingBody.By": "By whom.",
	}}
	for role, name := range map[openapi.Role]string{openapi.Answer: "Thing", openapi.Request: "ThingInput"} {
		if s := types.Of(reflect.TypeFor[thingBody](), role); s.Ref != "#/components/schemas/"+name {
			t.Errorf("%v: %s", role, s.Ref)
		}
	}
	all, errs := types.Components()
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for name, want := range map[string]string{
		"Thing": `{"type":"object","description":"Thing is a thing.","properties":{"name":{"type":"string"},"id":{"type":"string"},"at":{"type":"string","format":"date-time"},"raw":{},` +
			`"score":{"anyOf":[{"type":"number"},{"type":"null"}]},"few":{"$ref":"#/components/schemas/Inner"},"kids":{"type":"array","items":{"$ref":"#/components/schemas/Thing"}},` +
			`"by":{"type":"object","description":"By whom.","additionalProperties":{"type":"boolean"}}},"required":["name","id","at","score","kids","by"]}`,
		"ThingInput": `{"type":"object","description":"ThingInput is a thing.","properties":{"name":{"type":"string"},"id":{"type":"string"},"at":{"type":"string","format":"date-time"},"raw":{},` +
			`"score":{"anyOf":[{"type":"number"},{"type":"null"}]},"few":{"anyOf":[{"$ref":"#/components/schemas/InnerInput"},{"type":"null"}]},"kids":{"type":"array","items":{"$ref":"#/components/schemas/ThingInput"}},` +
			`"by":{"type":"object","description":"By whom.","additionalProperties":{"type":"boolean"}}},"additionalProperties":false}`,
	} {
		s, _ := all.Get(name)
		got, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

type odd struct {
	Say chan int `json:"say"`
}

// TestTypesThatHaveNoSchema are told, rather than left out.
func TestTypesThatHaveNoSchema(t *testing.T) {
	t.Parallel()
	types := &openapi.Types{}
	types.Of(reflect.TypeFor[odd](), openapi.Answer)
	if _, errs := types.Components(); len(errs) != 1 {
		t.Errorf("%v", errs)
	}
}
