package hubspot

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// subject is the CRM object that an event is about.
type subject struct {
	kind string // contact, company, deal, ticket
	id   string
}

// subjectOf finds the object whose record the rules want for an event. The zero
// value is "none": the record of a deleted contact can no longer be read, a merge
// is told by its ids alone, and an object that is none of the four kinds has no
// rules.
func subjectOf(kind string, n notice) subject {
	object, act, _ := strings.Cut(kind, ".")
	var s subject
	switch act {
	case "creation", "propertyChange", "restore":
		s = subject{object, string(n.ObjectID)}
	case "associationChange":
		// The change is told once for each side; the contact's side adds nothing.
		if strings.HasSuffix(string(n.AssociationType), "_TO_CONTACT") {
			s = subject{object, string(n.FromObjectID)}
		}
	}
	if object == "workflow" {
		s = n.workflowSubject()
	}
	if _, known := plurals[s.kind]; !known {
		return subject{}
	}
	return s
}

// plurals are the names of the object types in paths.
var plurals = map[string]string{"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets"}

// workflowSubject recognises the object that a workflow's webhook sends. The
// action has no documented envelope, so several forms are understood: the
// older one with vid, companyId or dealId, one with objectId and objectTypeId,
// and the plain CRM object, whose kind only its properties tell.
func (n *notice) workflowSubject() subject {
	switch {
	case n.VID != "":
		return subject{"contact", string(n.VID)}
	case n.CompanyID != "":
		return subject{"company", string(n.CompanyID)}
	case n.DealID != "":
		return subject{"deal", string(n.DealID)}
	}
	id := cmp.Or(string(n.ObjectID), string(n.ID))
	kind := cmp.Or(objectTypes[string(n.ObjectTypeID)], strings.ToLower(string(n.ObjectType)))
	if _, known := plurals[kind]; !known {
		kind = kindByProperties(n.Properties)
	}
	if kind == "" {
		return subject{}
	}
	return subject{kind, id}
}

// kindByProperties tells an object's kind by a property that only one kind
// has; "" when none of them is there.
func kindByProperties(properties jsontext.Value) string {
	var names map[string]jsontext.Value
	if json.Unmarshal(properties, &names) != nil {
		return ""
	}
	for _, mark := range []struct{ name, kind string }{
		{"dealstage", "deal"}, {"hs_pipeline_stage", "ticket"},
		{"email", "contact"}, {"lastmodifieddate", "contact"}, {"domain", "company"},
	} {
		if _, there := names[mark.name]; there {
			return mark.kind
		}
	}
	return ""
}
