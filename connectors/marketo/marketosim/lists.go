package marketosim

import (
	"encoding/json"
	"net/http"
	"strconv"
)

func (s *Sim) findLists(r *http.Request) answer {
	found := []any{}
	for _, l := range s.lists {
		if name := r.URL.Query().Get("name"); name == "" || name == l.Name {
			found = append(found, l)
		}
	}
	return answer{result: found}
}

func (s *Sim) createList(r *http.Request) answer {
	var folder struct {
		ID   int64  `json:"id"`
		Type string `json:"type"`
	}
	if r.ParseForm() != nil || r.PostForm.Get("name") == "" || json.Unmarshal([]byte(r.PostForm.Get("folder")), &folder) != nil ||
		folder.ID == 0 || folder.Type != "Folder" && folder.Type != "Program" {
		return refuse("701", "folder cannot be blank")
	}
	for _, l := range s.lists {
		if l.Name == r.PostForm.Get("name") {
			return refuse("709", "List name already exists")
		}
	}
	return answer{result: []any{s.newList(r.PostForm.Get("name"))}, wrote: true}
}

// changeList adds to a list, takes off it, or asks who is on it.
func (s *Sim) changeList(r *http.Request) answer {
	var l *staticList
	for _, one := range s.lists {
		if strconv.FormatInt(one.ID, 10) == r.PathValue("list") {
			l = one
		}
	}
	ids := r.URL.Query()["id"]
	switch {
	case l == nil:
		return refuse("1013", "Object not found")
	case r.Method == http.MethodGet && r.PathValue("ismember") != "ismember.json":
		return refuse("610", "Requested resource not found")
	case len(ids) == 0 || len(ids) > maxRecords:
		return refuse("1003", "Invalid number of records")
	}
	var all []outcome
	for _, text := range ids {
		id, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return refuse("1001", "Invalid value '"+text+"'")
		case s.people[id] == nil:
			all = append(all, skipped(id, "1004", "Lead not found"))
		case r.Method == http.MethodGet && l.members[id], r.Method == http.MethodPost && l.members[id]:
			all = append(all, outcome{ID: id, Status: "memberof"})
		case r.Method == http.MethodGet:
			all = append(all, outcome{ID: id, Status: "notmemberof"})
		case r.Method == http.MethodPost:
			l.members[id] = true
			all = append(all, outcome{ID: id, Status: "added"})
		case !l.members[id]:
			all = append(all, skipped(id, "1015", "Lead not in list"))
		default:
			delete(l.members, id)
			all = append(all, outcome{ID: id, Status: "removed"})
		}
	}
	return answer{result: all, wrote: r.Method != http.MethodGet}
}
