package salesforcesim

import (
	"net/http"
	"slices"
	"strings"
)

// own are the fields that a connection can make.
var own = []string{"SB_Stage__c", "SB_Segments__c", "SB_External_Id__c"}

// Bare takes the fields of a connection away from every object, and
// leaves a permission set behind through which new ones can be seen.
func (s *Sim) Bare(permissionSet string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, object := range []string{"Contact", "Lead", "Account"} {
		for _, field := range own {
			s.hidden[object+"."+field], s.absent[object+"."+field] = true, true
		}
	}
	s.add(&Record{Object: "PermissionSet", Fields: map[string]any{"Name": permissionSet}})
}

// createField makes a field, which nobody sees yet. The lock is held.
func (s *Sim) createField(w http.ResponseWriter, r *http.Request) {
	var body struct {
		FullName string
		Metadata struct {
			Label, Type          string
			Length, VisibleLines int
			ExternalID, Unique   bool
		}
	}
	if !readJSON(w, r, &body) {
		return
	}
	m := body.Metadata
	_, field, _ := strings.Cut(body.FullName, ".")
	switch {
	case !slices.Contains(own, field) || m.Label == "" || m.Length == 0 || m.Type == "LongTextArea" && m.VisibleLines == 0:
		refuse(w, http.StatusBadRequest, "FIELD_INTEGRITY_EXCEPTION", "the metadata is not whole")
	case !s.absent[body.FullName]:
		refuse(w, http.StatusBadRequest, "DUPLICATE_DEVELOPER_NAME", "There is already a field named "+field)
	default:
		delete(s.absent, body.FullName)
		s.writes++
		answer(w, http.StatusCreated, map[string]any{"id": "00N5g000000AbCdEAV", "success": true, "errors": []any{}})
	}
}

// grantField lets the user of the app see a field. The lock is held.
func (s *Sim) grantField(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ParentID, SobjectType, Field     string
		PermissionsRead, PermissionsEdit bool
	}
	if !readJSON(w, r, &body) {
		return
	}
	parent := s.records[body.ParentID]
	if parent == nil || parent.Object != "PermissionSet" || s.absent[body.Field] || !strings.HasPrefix(body.Field, body.SobjectType+".") || !body.PermissionsRead || !body.PermissionsEdit {
		refuse(w, http.StatusBadRequest, "FIELD_INTEGRITY_EXCEPTION", "the permission is not valid")
		return
	}
	delete(s.hidden, body.Field)
	s.writes++
	answer(w, http.StatusCreated, map[string]any{"id": "01k5g000000AbCdEAV", "success": true, "errors": []any{}})
}
