// Package access decides who may do what: users with a role, who log in, and
// tokens with a role, which open the API. Pages, API and command line share it.
package access
