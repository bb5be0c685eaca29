package salesforcesim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pageSize is how many records a page of an answer holds.
const pageSize = 2000

var (
	soqlForm = regexp.MustCompile(`(?s)^SELECT (.+?) FROM ([A-Za-z_]+)(?: WHERE (.+?))?(?: ORDER BY ([A-Za-z_]+)( DESC)?)?(?: LIMIT ([0-9]+))?$`)
	termForm = regexp.MustCompile(`(?s)^([A-Za-z_]+)(?: IN \((.*)\)|(=| > )(.+))$`)
	roleForm = regexp.MustCompile(`,?\(SELECT [^)]* FROM OpportunityContactRoles[^)]*\)`)
	textForm = regexp.MustCompile(`(?s)'((?:[^'\\]|\\.)*)'`)
)

// term is one comparison of a query.
type term struct {
	field  string
	after  bool // greater than values[0], else one of values
	values []string
}

// query answers the forms of SOQL that a connection asks. The lock is held.
func (s *Sim) query(w http.ResponseWriter, r *http.Request) {
	soql := r.URL.Query().Get("q")
	roles := roleForm.MatchString(soql)
	m := soqlForm.FindStringSubmatch(roleForm.ReplaceAllString(soql, ""))
	if m == nil || s.known(m[2]) == nil {
		refuse(w, http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token")
		return
	}
	object, selected := m[2], strings.Split(m[1], ",")
	terms, ok := parse(m[3])
	if !ok {
		refuse(w, http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token in WHERE")
		return
	}
	named := slices.Clone(selected)
	for _, either := range terms {
		for _, t := range either {
			named = append(named, t.field)
		}
	}
	for _, name := range named {
		if !slices.Contains(s.known(object), name) {
			refuse(w, http.StatusBadRequest, "INVALID_FIELD", "No such column '"+name+"' on entity '"+object+"'")
			return
		}
	}
	var hits []*Record
	for _, held := range s.records {
		if held.Object == object && (len(terms) == 0 || slices.ContainsFunc(terms, func(all []term) bool { return meets(held, all) })) {
			hits = append(hits, held)
		}
	}
	slices.SortFunc(hits, func(a, b *Record) int {
		if m[4] == "LastModifiedDate" {
			return cmp.Compare(b.changed, a.changed)
		}
		return cmp.Compare(fmt.Sprint(a.Fields["Id"]), fmt.Sprint(b.Fields["Id"]))
	})
	if limit, err := strconv.Atoi(m[6]); err == nil {
		hits = hits[:min(limit, len(hits))]
	}
	records := []map[string]any{}
	for _, held := range hits[:min(len(hits), pageSize)] {
		one := map[string]any{"attributes": map[string]any{"type": object, "url": root + "/sobjects/" + object + "/" + fmt.Sprint(held.Fields["Id"])}}
		for _, name := range selected {
			one[name] = held.Fields[name]
		}
		if roles {
			one["OpportunityContactRoles"] = s.roles(held)
		}
		records = append(records, one)
	}
	answer(w, http.StatusOK, map[string]any{"totalSize": len(hits), "done": true, "records": records})
}

func (s *Sim) roles(held *Record) any {
	if len(held.Roles) == 0 {
		return nil
	}
	list := []map[string]any{}
	for i, id := range held.Roles {
		role := map[string]any{"ContactId": id, "IsPrimary": i == 0, "Contact": nil}
		if c := s.records[id]; c != nil {
			role["Contact"] = map[string]any{"Email": c.Fields["Email"]}
		}
		list = append(list, role)
	}
	return map[string]any{"totalSize": len(list), "done": true, "records": list}
}

// parse reads a condition: terms joined by AND, those joined by OR.
func parse(where string) ([][]term, bool) {
	if where == "" {
		return nil, true
	}
	// Literals may hold the words of the language, so they are set aside.
	var literals []string
	bare := textForm.ReplaceAllStringFunc(where, func(text string) string {
		literals = append(literals, unescape(text[1:len(text)-1]))
		return "$" + strconv.Itoa(len(literals)-1)
	})
	value := func(text string) string {
		if n, err := strconv.Atoi(strings.TrimPrefix(text, "$")); err == nil && strings.HasPrefix(text, "$") && n < len(literals) {
			return literals[n]
		}
		return text
	}
	var all [][]term
	for either := range strings.SplitSeq(bare, " OR ") {
		var terms []term
		for one := range strings.SplitSeq(either, " AND ") {
			m := termForm.FindStringSubmatch(one)
			if m == nil {
				return nil, false
			}
			t := term{field: m[1], after: m[3] == " > "}
			if m[3] != "" {
				t.values = []string{value(m[4])}
			} else {
				for v := range strings.SplitSeq(m[2], ",") {
					t.values = append(t.values, value(v))
				}
			}
			terms = append(terms, t)
		}
		all = append(all, terms)
	}
	return all, true
}

func unescape(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// meets compares as SOQL does, texts without regard to case but for ids.
func meets(held *Record, all []term) bool {
	for _, t := range all {
		have := ""
		if v := held.Fields[t.field]; v != nil {
			have = fmt.Sprint(v)
		}
		ok := slices.ContainsFunc(t.values, func(v string) bool { return strings.EqualFold(v, have) && have != "" })
		if t.after {
			ok = have > t.values[0]
		}
		if !ok {
			return false
		}
	}
	return true
}

var binForm = regexp.MustCompile(`^SELECT Id,MasterRecordId,SystemModstamp FROM ([A-Za-z]+) WHERE IsDeleted=true AND SystemModstamp >= ([0-9TZ:.-]+) ORDER BY SystemModstamp,Id LIMIT ([0-9]+)$`)

// queryAll answers the one question about the recycle bin that a connection
// asks. The lock is held.
func (s *Sim) queryAll(w http.ResponseWriter, r *http.Request) {
	m := binForm.FindStringSubmatch(r.URL.Query().Get("q"))
	if m == nil {
		refuse(w, http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token")
		return
	}
	limit, err := strconv.Atoi(m[3])
	from, wrong := time.Parse("2006-01-02T15:04:05.000Z", m[2])
	if err != nil || wrong != nil {
		refuse(w, http.StatusBadRequest, "MALFORMED_QUERY", "the time or the limit cannot be read")
		return
	}
	records := []map[string]any{}
	for _, gone := range s.bin {
		at, _ := time.Parse("2006-01-02T15:04:05.000-0700", fmt.Sprint(gone["SystemModstamp"]))
		if gone["object"] == m[1] && !at.Before(from) && len(records) < limit {
			records = append(records, map[string]any{"Id": gone["Id"], "MasterRecordId": gone["MasterRecordId"], "SystemModstamp": gone["SystemModstamp"]})
		}
	}
	answer(w, http.StatusOK, map[string]any{"totalSize": len(records), "done": true, "records": records})
}
