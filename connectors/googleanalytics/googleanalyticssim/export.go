package googleanalyticssim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Names of the export and the property.
const (
	Dataset    = "simulated-project.analytics_123456789"
	PropertyID = "123456789"
	tables     = "/bigquery/v2/projects/simulated-project/datasets/analytics_123456789/tables/"
	email      = "stagebridge@simulated-project.iam.gserviceaccount.com"
)

// Row is one row of the export, by column; params and properties are plain.
type Row struct {
	Name, PseudoID, UserID string
	Micros, Bundle         int64
	Params, Properties     map[string]any
	Transaction            string
	Revenue                float64
	Platform               string
}

// accountKey is made once, since that takes its time.
var accountKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// export is a daily table.
type export struct {
	modified int64
	rows     []Row
}

// Account makes a service account and gives its key file. The stand-in takes
// only the newest.
func (s *Sim) Account(url string) (string, error) {
	key, err := accountKey()
	if err != nil {
		return "", fmt.Errorf("googleanalyticssim: make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("googleanalyticssim: write the key: %w", err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": email, "private_key_id": "k-1", "token_uri": url + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		return "", fmt.Errorf("googleanalyticssim: write the key file: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key, s.tokenURL = &key.PublicKey, url+"/token"
	return string(file), nil
}

// Export writes the daily table of a day, 20261120, at a time in milliseconds.
func (s *Sim) Export(day string, modified int64, rows ...Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exports["events_"+day] = export{modified, rows}
}

// Expire makes every access token invalid.
func (s *Sim) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token++
}

// Deleted lists the deletion requests, "CLIENT_ID 1.2", in order.
func (s *Sim) Deleted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deleted)
}

func (s *Sim) grant(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || !s.signed(r.FormValue("assertion")) {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
		return
	}
	reply(w, http.StatusOK, map[string]any{"access_token": "simulated-token-" + strconv.Itoa(s.token), "expires_in": 3599, "token_type": "Bearer"})
}

// signed verifies an assertion. The lock is held.
func (s *Sim) signed(assertion string) bool {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || s.key == nil {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	signature, wrong := base64.RawURLEncoding.DecodeString(parts[2])
	var c struct{ Iss, Scope, Aud string }
	if err != nil || wrong != nil || json.Unmarshal(claims, &c) != nil || c.Iss != email || c.Aud != s.tokenURL || c.Scope == "" {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPKCS1v15(s.key, crypto.SHA256, sum[:], signature) == nil
}

func (s *Sim) permitted(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") == "Bearer simulated-token-"+strconv.Itoa(s.token) {
		return true
	}
	reply(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{"code": 401, "message": "Request had invalid authentication credentials."}})
	return false
}

func (s *Sim) describe(w http.ResponseWriter, r *http.Request) {
	if !s.permitted(w, r) {
		return
	}
	s.mu.Lock()
	e, ok := s.exports[r.PathValue("table")]
	s.mu.Unlock()
	if !ok {
		reply(w, http.StatusNotFound, map[string]any{"error": map[string]any{"code": 404, "message": "Not found: Table " + r.PathValue("table")}})
		return
	}
	reply(w, http.StatusOK, map[string]any{"lastModifiedTime": strconv.FormatInt(e.modified, 10), "schema": map[string]any{"fields": schema()}})
}

type field struct {
	Name   string  `json:"name"`
	Type   string  `json:"type"`
	Mode   string  `json:"mode,omitempty"`
	Fields []field `json:"fields,omitempty"`
}

// schema is that part of the export's which matters here, and one column that
// nobody asks for.
func schema() []field {
	value := field{Name: "value", Type: "RECORD", Fields: []field{
		{Name: "string_value", Type: "STRING"}, {Name: "int_value", Type: "INTEGER"}, {Name: "float_value", Type: "FLOAT"}, {Name: "double_value", Type: "FLOAT"},
	}}
	pairs := []field{{Name: "key", Type: "STRING"}, value}
	return []field{
		{Name: "event_date", Type: "STRING"}, {Name: "event_timestamp", Type: "INTEGER"}, {Name: "event_name", Type: "STRING"},
		{Name: "event_params", Type: "RECORD", Mode: "REPEATED", Fields: pairs}, {Name: "event_bundle_sequence_id", Type: "INTEGER"},
		{Name: "user_id", Type: "STRING"}, {Name: "user_pseudo_id", Type: "STRING"},
		{Name: "user_properties", Type: "RECORD", Mode: "REPEATED", Fields: pairs}, {Name: "platform", Type: "STRING"},
		{Name: "ecommerce", Type: "RECORD", Fields: []field{{Name: "transaction_id", Type: "STRING"}, {Name: "purchase_revenue", Type: "FLOAT"}}},
	}
}

func (s *Sim) data(w http.ResponseWriter, r *http.Request) {
	if !s.permitted(w, r) {
		return
	}
	q := r.URL.Query()
	start, err := strconv.Atoi(q.Get("startIndex"))
	most, err2 := strconv.Atoi(q.Get("maxResults"))
	s.mu.Lock()
	e, ok := s.exports[r.PathValue("table")]
	s.mu.Unlock()
	if !ok || err != nil || err2 != nil || start < 0 || most < 1 {
		reply(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"code": 400, "message": "invalid"}})
		return
	}
	wanted := strings.Split(q.Get("selectedFields"), ",")
	rows := []any{}
	for i := start; i < len(e.rows) && len(rows) < most; i++ {
		rows = append(rows, cells(&e.rows[i], wanted))
	}
	reply(w, http.StatusOK, map[string]any{"totalRows": strconv.Itoa(len(e.rows)), "rows": rows})
}

// cell is a value in BigQuery's form.
func cell(v any) map[string]any { return map[string]any{"v": v} }

// cells writes a row as the API does: the wanted columns, in their order.
func cells(r *Row, wanted []string) map[string]any {
	texts := map[string]string{
		"event_timestamp": strconv.FormatInt(r.Micros, 10), "event_bundle_sequence_id": strconv.FormatInt(r.Bundle, 10),
		"event_name": r.Name, "user_id": r.UserID, "user_pseudo_id": r.PseudoID, "platform": r.Platform, "event_date": "20261120",
	}
	var row []any
	for _, f := range schema() {
		if !slices.Contains(wanted, f.Name) {
			continue
		}
		switch f.Name {
		case "event_params":
			row = append(row, cell(pairs(r.Params)))
		case "user_properties":
			row = append(row, cell(pairs(r.Properties)))
		case "ecommerce":
			if r.Transaction == "" {
				row = append(row, cell(nil))
				continue
			}
			row = append(row, cell(map[string]any{"f": []any{cell(r.Transaction), cell(strconv.FormatFloat(r.Revenue, 'f', -1, 64))}}))
		default:
			if texts[f.Name] == "" {
				row = append(row, cell(nil))
				continue
			}
			row = append(row, cell(texts[f.Name]))
		}
	}
	return map[string]any{"f": row}
}

// pairs writes plain values as repeated records with one kind of value each.
func pairs(of map[string]any) []any {
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		kinds := []any{cell(nil), cell(nil), cell(nil), cell(nil)}
		switch v := of[name].(type) {
		case string:
			kinds[0] = cell(v)
		case int:
			kinds[1] = cell(strconv.Itoa(v))
		case float64:
			kinds[3] = cell(strconv.FormatFloat(v, 'f', -1, 64))
		}
		list = append(list, cell(map[string]any{"f": []any{cell(name), cell(map[string]any{"f": kinds})}}))
	}
	return list
}

func (s *Sim) erase(w http.ResponseWriter, r *http.Request) {
	if !s.permitted(w, r) {
		return
	}
	var in struct {
		ID struct {
			Type   string `json:"type"`
			UserID string `json:"userId"`
		} `json:"id"`
		Property string `json:"propertyId"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.ID.Type == "" || in.ID.UserID == "" || in.Property != PropertyID {
		reply(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": 403, "message": "User does not have sufficient permissions for this property."}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.deleted = append(s.deleted, in.ID.Type+" "+in.ID.UserID)
	delete(s.people, in.ID.UserID)
	reply(w, http.StatusOK, map[string]any{"kind": "analytics#userDeletionRequest", "id": in.ID, "propertyId": in.Property, "deletionRequestTime": "2026-11-20T09:00:00.000Z"})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
