package hubspotsim

import (
	"net/http"
	"slices"
	"strings"
)

// property is a contact property's definition.
type property struct {
	GroupName      string   `json:"groupName"`
	Name           string   `json:"name"`
	Label          string   `json:"label"`
	Description    string   `json:"description"`
	Type           string   `json:"type"`
	FieldType      string   `json:"fieldType"`
	HubSpotDefined bool     `json:"hubspotDefined"`
	Options        []option `json:"options"`
}

type option struct {
	Label        string `json:"label"`
	Value        string `json:"value"`
	Hidden       bool   `json:"hidden"`
	DisplayOrder int    `json:"displayOrder"`
}

// StageProperty is HubSpot's own lifecycle stage.
const StageProperty = "lifecyclestage"

// usualStages are the internal values of a new account's lifecycle stages, in
// order, with their labels.
var usualStages = [][2]string{
	{"subscriber", "Subscriber"}, {"lead", "Lead"}, {"marketingqualifiedlead", "Marketing Qualified Lead"},
	{"salesqualifiedlead", "Sales Qualified Lead"}, {"opportunity", "Opportunity"}, {"customer", "Customer"},
	{"evangelist", "Evangelist"}, {"other", "Other"},
}

// usualProperties are those that the connector reads, as a new account has them.
func usualProperties() map[string]*property {
	all := map[string]*property{}
	for _, name := range []string{
		"email", "firstname", "lastname", "company", "jobtitle", "phone", "country", "hubspotscore",
		"hs_analytics_source", "associatedcompanyid", "hs_lead_status", "hs_email_optout", "hs_additional_emails", "hs_merged_object_ids",
	} {
		all[name] = &property{GroupName: "contactinformation", Name: name, Label: name, Type: "string", FieldType: "text", HubSpotDefined: true, Options: []option{}}
	}
	stage := &property{GroupName: "contactinformation", Name: StageProperty, Label: "Lifecycle Stage", Type: "enumeration", FieldType: "radio", HubSpotDefined: true}
	for i, s := range usualStages {
		stage.Options = append(stage.Options, option{Value: s[0], Label: s[1], DisplayOrder: i})
	}
	all[StageProperty] = stage
	return all
}

// Property gives the options' values of a contact property in order; false
// when the account has none of that name.
func (s *Sim) Property(name string) (options []string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.properties[name]
	if p == nil {
		return nil, false
	}
	for _, o := range p.Options {
		options = append(options, o.Value)
	}
	return options, true
}

// RemoveOption takes an option away, as a person may do in the settings.
func (s *Sim) RemoveOption(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.properties[name]; p != nil {
		p.Options = slices.DeleteFunc(slices.Clone(p.Options), func(o option) bool { return o.Value == value })
	}
}

// AddOption adds one, as a person or another program may.
func (s *Sim) AddOption(name, value, label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.properties[name]; p != nil {
		p.Options = append(slices.Clone(p.Options), option{Value: value, Label: label, DisplayOrder: len(p.Options)})
	}
}

func (s *Sim) listProperties(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	all := make([]property, 0, len(s.properties))
	for _, p := range s.properties {
		all = append(all, *p)
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b property) int { return strings.Compare(a.Name, b.Name) })
	answer(w, http.StatusOK, map[string]any{"results": all})
}

func (s *Sim) readProperty(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p := s.properties[r.PathValue("name")]
	var found property
	if p != nil {
		found = *p
	}
	s.mu.Unlock()
	if p == nil {
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "Property does not exist"})
		return
	}
	answer(w, http.StatusOK, found)
}

func (s *Sim) createGroup(w http.ResponseWriter, r *http.Request) {
	var g struct{ Name, Label string }
	if !s.decode(w, r, &g) {
		return
	}
	s.mu.Lock()
	_, there := s.groups[g.Name]
	if !there {
		s.groups[g.Name] = g.Label
	}
	s.mu.Unlock()
	if there {
		s.refuse(w, http.StatusConflict, apiError{Status: "error", Category: "CONFLICT", Message: "Property group already exists"})
		return
	}
	answer(w, http.StatusCreated, map[string]any{"name": g.Name, "label": g.Label, "displayOrder": -1, "archived": false})
}

func (s *Sim) createProperty(w http.ResponseWriter, r *http.Request) {
	var p property
	if !s.decode(w, r, &p) {
		return
	}
	status, refusal := s.addProperty(p)
	if refusal != "" {
		s.refuse(w, status, apiError{Status: "error", Category: "VALIDATION_ERROR", Message: refusal})
		return
	}
	answer(w, http.StatusCreated, p)
}

func (s *Sim) addProperty(p property) (status int, refusal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.Name == "" || p.Label == "" || p.Type == "" || p.FieldType == "":
		return http.StatusBadRequest, "name, label, type and fieldType are required"
	case s.properties[p.Name] != nil:
		return http.StatusConflict, "A property named '" + p.Name + "' already exists"
	case s.groups[p.GroupName] == "":
		return http.StatusBadRequest, "property group '" + p.GroupName + "' does not exist"
	}
	if wrong := doubleOption(p.Options); wrong != "" {
		return http.StatusBadRequest, wrong
	}
	s.properties[p.Name] = &p
	return 0, ""
}

func (s *Sim) updateProperty(w http.ResponseWriter, r *http.Request) {
	var change struct {
		Options []option `json:"options"`
	}
	if !s.decode(w, r, &change) {
		return
	}
	s.mu.Lock()
	p := s.properties[r.PathValue("name")]
	wrong := doubleOption(change.Options)
	var now property
	if p != nil && wrong == "" {
		now = *p
		now.Options = change.Options
		s.properties[now.Name] = &now
	}
	s.mu.Unlock()
	switch {
	case p == nil:
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "Property does not exist"})
	case wrong != "":
		s.refuse(w, http.StatusBadRequest, apiError{Status: "error", Category: "VALIDATION_ERROR", Message: wrong})
	default:
		answer(w, http.StatusOK, now)
	}
}

// doubleOption finds what HubSpot refuses in a list of options.
func doubleOption(options []option) string {
	values, labels := map[string]bool{}, map[string]bool{}
	for _, o := range options {
		label := strings.ToLower(o.Label)
		switch {
		case o.Value == "" || o.Label == "":
			return "an option needs a label and a value"
		case values[o.Value] || labels[label]:
			return "option '" + o.Value + "' is not unique"
		}
		values[o.Value], labels[label] = true, true
	}
	return ""
}
