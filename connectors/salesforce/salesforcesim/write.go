package salesforcesim

import (
	"net/http"
	"slices"
	"strings"
)

// fields of both objects that a caller may name, beside those every record has.
var fields = []string{
	"Email", "FirstName", "LastName", "Title", "Phone", "SB_Stage__c", "SB_Segments__c", "SB_External_Id__c", "HasOptedOutOfEmail",
}

// known lists the fields of an object that the user of the app can see.
func (s *Sim) known(object string) []string {
	return slices.DeleteFunc(all(object), func(field string) bool { return s.hidden[object+"."+field] })
}

func all(object string) []string {
	both := append([]string{"Id", "LastModifiedDate", "CreatedDate"}, fields...)
	switch object {
	case "Lead":
		return append(both, "Company", "Status", "IsConverted", "ConvertedContactId")
	case "Contact":
		return append(both, "AccountId")
	case "Account":
		return []string{"Id", "Name", "Website", "LastModifiedDate", "CreatedDate", "SB_Stage__c", "SB_Segments__c", "SB_External_Id__c"}
	case "Opportunity":
		return []string{"Id", "Name", "StageName", "IsClosed", "IsWon", "Amount", "LastModifiedDate"}
	case "PermissionSet":
		return []string{"Id", "Name", "LastModifiedDate"}
	}
	return nil
}

type collection struct {
	AllOrNone bool             `json:"allOrNone"`
	Records   []map[string]any `json:"records"`
}

type row struct {
	ID      string     `json:"id,omitempty"`
	Success bool       `json:"success"`
	Created *bool      `json:"created,omitempty"`
	Errors  []rowError `json:"errors"`
}

type rowError struct {
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

func failed(code, message string, fields ...string) row {
	if fields == nil {
		fields = []string{}
	}
	return row{Errors: []rowError{{code, message, fields}}}
}

// begin reads a collection and refuses what is refused as a whole.
func begin(w http.ResponseWriter, r *http.Request) (*collection, bool) {
	var c collection
	if !readJSON(w, r, &c) {
		return nil, false
	}
	if len(c.Records) == 0 || len(c.Records) > maxRecords {
		refuse(w, http.StatusBadRequest, "LIMIT_EXCEEDED", "record limit is 200")
		return nil, false
	}
	return &c, true
}

// update writes by record id. The lock is held.
func (s *Sim) update(w http.ResponseWriter, r *http.Request) {
	c, ok := begin(w, r)
	if !ok {
		return
	}
	seen := map[any]bool{}
	for _, record := range c.Records {
		if seen[record["id"]] {
			refuse(w, http.StatusBadRequest, "INVALID_ID_FIELD", "duplicate id in list")
			return
		}
		seen[record["id"]] = true
	}
	rows := make([]row, len(c.Records))
	for i, record := range c.Records {
		id, _ := record["id"].(string)
		delete(record, "id")
		rows[i] = s.change(id, record)
	}
	s.writes++
	answer(w, http.StatusOK, rows)
}

func (s *Sim) change(id string, record map[string]any) row {
	held := s.records[id]
	if held == nil {
		return failed("ENTITY_IS_DELETED", "entity is deleted")
	}
	object := objectOf(record)
	if object != held.Object {
		return failed("INVALID_TYPE", "the record is not of this type")
	}
	if held.Fields["IsConverted"] == true {
		return failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
	}
	return s.put(id, held, record, false)
}

// put sets fields of a record that is there.
func (s *Sim) put(id string, held *Record, record map[string]any, created bool) row {
	delete(record, "attributes")
	email, _ := held.Fields["Email"].(string)
	if website, ok := held.Fields["Website"].(string); ok {
		email = website
	}
	if r := s.refused[email]; r[0] != "" {
		return failed(r[0], r[1])
	}
	for name, value := range record {
		if !slices.Contains(s.known(held.Object), name) {
			return failed("INVALID_FIELD", "No such column '"+name+"' on sobject of type "+held.Object, name)
		}
		if text, _ := value.(string); name == "SB_Stage__c" && len(text) > 80 {
			return failed("STRING_TOO_LONG", "SB Stage: data value too large (max length=80)", name)
		}
	}
	for name, value := range record {
		held.Fields[name] = value
	}
	s.touch(held)
	return row{ID: id, Success: true, Created: &created, Errors: []rowError{}}
}

// upsert writes by an external id and makes what is not there. The lock is held.
func (s *Sim) upsert(w http.ResponseWriter, r *http.Request) {
	c, ok := begin(w, r)
	if !ok {
		return
	}
	object, field := r.PathValue("object"), r.PathValue("field")
	if field != "SB_External_Id__c" {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+field)
		return
	}
	rows := make([]row, len(c.Records))
	for i, record := range c.Records {
		rows[i] = s.upsertOne(object, field, record)
	}
	s.writes++
	answer(w, http.StatusOK, rows)
}

func (s *Sim) upsertOne(object, field string, record map[string]any) row {
	if objectOf(record) != object {
		return failed("INVALID_TYPE", "the record is not of this type")
	}
	for id, held := range s.records {
		if held.Object == object && held.Fields[field] == record[field] {
			return s.put(id, held, record, false)
		}
	}
	required := []string{"LastName"}
	switch object {
	case "Lead":
		required = append(required, "Company")
	case "Account":
		required = []string{"Name"}
	}
	for _, name := range required {
		if text, _ := record[name].(string); text == "" {
			return failed("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+name+"]", name)
		}
	}
	made := &Record{Object: object, Fields: map[string]any{"Email": record["Email"]}}
	if object == "Account" {
		made.Fields = map[string]any{"Website": record["Website"]}
	}
	if object == "Lead" {
		made.Fields["IsConverted"] = false
	}
	id := s.add(made)
	done := s.put(id, made, record, true)
	if !done.Success {
		delete(s.records, id)
	}
	return done
}

// delete removes records. The lock is held.
func (s *Sim) delete(w http.ResponseWriter, r *http.Request) {
	var rows []row
	for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
		held := s.records[id]
		if held == nil {
			rows = append(rows, failed("ENTITY_IS_DELETED", "entity is deleted"))
			continue
		}
		email, _ := held.Fields["Email"].(string)
		if r := s.refused[email]; r[0] != "" {
			rows = append(rows, failed(r[0], r[1]))
			continue
		}
		s.remove(id, "")
		rows = append(rows, row{ID: id, Success: true, Errors: []rowError{}})
	}
	s.writes++
	answer(w, http.StatusOK, rows)
}

func objectOf(record map[string]any) string {
	a, _ := record["attributes"].(map[string]any)
	object, _ := a["type"].(string)
	return object
}
