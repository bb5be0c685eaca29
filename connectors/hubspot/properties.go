package hubspot

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// propertiesPath is that of contact properties, companyProperties of those of
// companies.
const (
	propertiesPath    = "/crm/v3/properties/contacts"
	companyProperties = "/crm/v3/properties/companies"
)

// stageDefinition is the stage property as it is created where it is missing.
func (c *Connector) stageDefinition() property {
	return property{GroupName: ownGroup, Name: c.stageProperty, Label: "Stagebridge stage", Type: "enumeration", FieldType: "select"}
}

// segmentsDefinition is the segments property as it is created.
func segmentsDefinition() property {
	return property{GroupName: ownGroup, Name: ownSegmentsProperty, Label: "Stagebridge segments", Type: "enumeration", FieldType: "checkbox"}
}

// schema remembers which properties of contacts, or of companies, HubSpot has,
// with their options, so that an option is there before it is written.
type schema struct {
	c    *Connector
	path string
	turn chan struct{} // guards known, and makes changes at HubSpot one by one
	// known by name. A value is never changed, only replaced.
	known map[string]*property
}

func newSchema(c *Connector, path string) *schema {
	return &schema{c: c, path: path, turn: make(chan struct{}, 1), known: map[string]*property{}}
}

// values gives HubSpot's value for each of our names: by the option's value,
// else by its label. The empty name stands for the property itself. A name that
// HubSpot lacks and that may not be created is left out of the answer; with an
// error, what is known already is in the answer beside it.
func (s *schema) values(ctx context.Context, def property, names []string, create bool) (map[string]string, error) {
	if err := lock(ctx, "read properties", s.turn); err != nil {
		return nil, err
	}
	defer func() { <-s.turn }()
	have, missing := resolve(s.known[def.Name], names)
	if len(missing) == 0 {
		return have, nil
	}
	p, err := s.fetch(ctx, def.Name)
	if err != nil {
		return have, err
	}
	have, missing = resolve(p, names)
	// HubSpot's own pipeline of stages belongs to the account's people.
	if len(missing) == 0 || !create || def.Name == nativeStageProperty {
		return have, nil
	}
	if p == nil {
		err = s.createProperty(ctx, def, missing)
	} else {
		err = s.addOptions(ctx, p, missing)
	}
	if err != nil && !lost(err) {
		return have, err
	}
	// After a conflict somebody else was first: then it is there now, but a
	// property with the options that they needed.
	if lost(err) || s.known[def.Name] == nil {
		made, fetchErr := s.fetch(ctx, def.Name)
		if fetchErr != nil || made == nil {
			return have, cmp.Or(fetchErr, err)
		}
		if _, missing = resolve(made, names); p == nil && len(missing) > 0 {
			if err = s.addOptions(ctx, made, missing); err != nil {
				return have, err
			}
		}
	}
	have, missing = resolve(s.known[def.Name], names)
	if len(missing) > 0 {
		return have, err
	}
	return have, nil
}

// lost reports whether a change was refused in a way that another one having
// come first explains.
func lost(err error) bool {
	return reason(err) == connectors.ReasonConflict || reason(err) == connectors.ReasonInvalid
}

// resolve finds the value for each name.
func resolve(p *property, names []string) (have map[string]string, missing []string) {
	have = make(map[string]string, len(names))
	for _, name := range names {
		if value, ok := p.value(name); ok {
			have[name] = value
		} else {
			missing = append(missing, name)
		}
	}
	return have, missing
}

// value finds HubSpot's value for one of our names. A property without options
// (a text) takes any.
func (p *property) value(name string) (string, bool) {
	if p == nil || name == "" {
		return "", p != nil
	}
	value := optionValue(name)
	if p.Type != "enumeration" {
		return value, true
	}
	if slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == value }) {
		return value, true
	}
	if i := slices.IndexFunc(p.Options, func(o option) bool { return strings.EqualFold(o.Label, name) }); i >= 0 {
		return p.Options[i].Value, true
	}
	return "", false
}

// fetch reads a property; nil when HubSpot has none of that name.
func (s *schema) fetch(ctx context.Context, name string) (*property, error) {
	var p property
	_, err := s.c.call(ctx, "read the property "+name, http.MethodGet, s.path+"/"+escape(name), nil, &p)
	if reason(err) == connectors.ReasonNotFound {
		delete(s.known, name)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if p.Name != name {
		return nil, &connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Act: "hubspot: read the property " + name, Message: "the answer is not the property asked for"}
	}
	s.known[name] = &p
	return &p, nil
}

// createProperty makes the property with its first options, and its group
// before it.
func (s *schema) createProperty(ctx context.Context, def property, names []string) error {
	_, err := s.c.call(ctx, "create the property group "+ownGroup, http.MethodPost, s.path+"/groups", group{ownGroup, "Stagebridge"}, nil)
	if err != nil && !lost(err) {
		return err
	}
	def.Options = withOptions(nil, names)
	var made property
	if _, err := s.c.call(ctx, "create the property "+def.Name, http.MethodPost, s.path, def, &made); err != nil {
		return err
	}
	s.remember(def, made)
	return nil
}

// addOptions adds options to the end of those there. HubSpot takes the whole
// list, so it is sent as just read.
func (s *schema) addOptions(ctx context.Context, p *property, names []string) error {
	wanted := property{Name: p.Name, Type: p.Type, Options: withOptions(p.Options, names)}
	change := map[string][]option{"options": wanted.Options}
	var made property
	if _, err := s.c.call(ctx, "add options to the property "+p.Name, http.MethodPatch, s.path+"/"+escape(p.Name), change, &made); err != nil {
		return err
	}
	s.remember(wanted, made)
	return nil
}

// remember keeps the property as HubSpot answered, or as it was sent where the
// answer leaves the options out.
func (s *schema) remember(sent, made property) {
	if len(made.Options) == 0 {
		made.Options = sent.Options
	}
	made.Name, made.Type = sent.Name, cmp.Or(made.Type, sent.Type)
	s.known[sent.Name] = &made
}

// forget drops what is known of a property, after HubSpot refused a value that
// we took to be there.
func (s *schema) forget(name string) {
	s.turn <- struct{}{}
	delete(s.known, name)
	<-s.turn
}

func withOptions(there []option, names []string) []option {
	all := slices.Clone(there)
	for _, name := range names {
		if name != "" {
			all = append(all, option{Label: name, Value: optionValue(name), DisplayOrder: len(all)})
		}
	}
	return all
}
