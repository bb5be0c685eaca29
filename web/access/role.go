package access

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Role is what somebody may do. Each may do what those before it may.
type Role string

// The roles.
const (
	// Viewer reads everything but who has access.
	Viewer Role = "viewer"
	// Editor changes rules and plan, decides about people, replays and retries.
	Editor Role = "editor"
	// Admin changes connections and their credentials, and gives access.
	Admin Role = "admin"
)

var roles = []Role{Viewer, Editor, Admin}

// ParseRole reads a role.
func ParseRole(text string) (Role, error) {
	if r := Role(text); slices.Contains(roles, r) {
		return r, nil
	}
	return "", &FieldError{"role", fmt.Sprintf("is %q, want viewer, editor or admin", text)}
}

// May tells whether this role is enough for what asks for another one. What is
// no role may nothing.
func (r Role) May(least Role) bool {
	return slices.Index(roles, r) >= slices.Index(roles, least) && slices.Contains(roles, least)
}

// forAdmins are the routes below which everything is for admins, reading
// included.
var forAdmins = []string{"/settings", "/api/v1/users", "/api/v1/tokens", "/api/v1/audit", "/api/v1/notifications"}

// ofEverybody are the routes of one's own account.
const ofEverybody = "/account"

// ofConnections are the routes of connections.
var ofConnections = []string{"/connections", "/api/v1/connections"}

// ofEditors are what editors change of connections: behind the connection's id.
var ofEditors = []string{"rules", "pause", "resume", "resync", "check", "pull"}

// Least gives the role that a route asks for, by its method and its path as it
// was registered, with the names of parameters in it. What is not known to be
// harmless asks for more, so that a new route is never open by mistake.
func Least(method, route string) Role {
	for _, prefix := range forAdmins {
		if route == prefix || strings.HasPrefix(route, prefix+"/") {
			return Admin
		}
	}
	if route == ofEverybody || strings.HasPrefix(route, ofEverybody+"/") {
		return Viewer
	}
	if method == http.MethodGet || method == http.MethodHead {
		if strings.HasSuffix(route, "/export") || strings.HasSuffix(route, "/edit") || route == "/connections/new" {
			return Admin
		}
		return Viewer
	}
	for _, prefix := range ofConnections {
		if rest, ok := strings.CutPrefix(route, prefix); ok && (rest == "" || rest[0] == '/') {
			parts := strings.Split(rest, "/") // "", ":id", what is done
			if len(parts) > 2 && slices.Contains(ofEditors, parts[2]) {
				return Editor
			}
			return Admin
		}
	}
	if method == http.MethodDelete && (route == "/api/v1/profiles/:id" || route == "/people/:id") || strings.Contains(route, "/erasures") {
		return Admin
	}
	return Editor
}

// FieldError is an input that cannot be taken.
type FieldError struct{ Field, Detail string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }
