package hubspotsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// apply writes properties by the API; the caller holds the lock.
func (s *Sim) apply(kind string, o *record, properties map[string]string) *apiError {
	if e := s.valid(kind, o, properties); e != nil {
		return e
	}
	for _, name := range sortedNames(properties) {
		value := properties[name]
		if name == StageProperty && s.backwards(o.properties[name], value) {
			continue // taken and not applied: the lifecycle stage only moves forward
		}
		if more, appends := strings.CutPrefix(value, ";"); appends {
			value = union(o.properties[name], more)
		}
		s.change(kind, o, name, value, s.app())
	}
	return nil
}

// app is the actor of writes through the API.
func (s *Sim) app() actor { return actor{"INTEGRATION", fmt.Sprint(s.options.AppID)} }

func (s *Sim) backwards(from, to string) bool {
	order := func(value string) int {
		return slices.IndexFunc(s.properties[StageProperty].Options, func(o option) bool { return o.Value == value })
	}
	return from != "" && to != "" && order(to) < order(from)
}

// valid checks what a write would set; the caller holds the lock.
func (s *Sim) valid(kind string, o *record, properties map[string]string) *apiError {
	if kind == "companies" {
		return s.validCompany(o, properties)
	}
	if kind != "contacts" {
		return nil
	}
	address := properties["email"]
	if o != nil {
		address = o.properties["email"]
	}
	if words := s.refused[fold(address)]; words != "" {
		return invalid(words)
	}
	for _, name := range sortedNames(properties) {
		value := properties[name]
		p := s.properties[name]
		switch {
		case p == nil:
			return problem(name, "Property \""+name+"\" does not exist", "PROPERTY_DOESNT_EXIST")
		case name == "hs_object_id":
			return problem(name, "the value is read only", "READ_ONLY_VALUE")
		case name == "email" && value != "" && !looksLikeAddress(value):
			return problem(name, "Email address "+value+" is invalid", "INVALID_EMAIL")
		case name == "email" && s.byEmail[fold(value)] != "" && (o == nil || s.byEmail[fold(value)] != o.id):
			return &apiError{Status: "error", Category: "CONFLICT", Message: "Contact already exists. Existing ID: " + s.byEmail[fold(value)]}
		case p.Type == "enumeration":
			for _, one := range strings.Split(strings.Trim(value, ";"), ";") {
				if one != "" && !slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == one }) {
					return problem(name, one+" was not one of the allowed options", "INVALID_OPTION")
				}
			}
		}
	}
	return nil
}

// problem words a refused value as HubSpot does.
func problem(name, message, code string) *apiError {
	list, err := json.Marshal([]map[string]any{{"isValid": false, "message": message, "error": code, "name": name}})
	if err != nil {
		return invalid(message)
	}
	return invalid("Property values were not valid: " + string(list))
}

func invalid(message string) *apiError {
	return &apiError{Status: "error", Category: "VALIDATION_ERROR", Message: message}
}

func looksLikeAddress(s string) bool {
	user, host, ok := strings.Cut(s, "@")
	return ok && user != "" && strings.Contains(host, ".") && !strings.ContainsAny(s, " \t\n<>,;")
}

func sortedNames(m map[string]string) []string {
	all := make([]string, 0, len(m))
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// union adds values to those of a multi-checkbox property.
func union(there, more string) string {
	values := strings.Split(there, ";")
	for _, one := range strings.Split(more, ";") {
		if !slices.Contains(values, one) {
			values = append(values, one)
		}
	}
	return strings.Trim(strings.Join(values, ";"), ";")
}
