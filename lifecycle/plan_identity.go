package lifecycle

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// Limits of a plan's part about identity.
const (
	// MaxIdentityEntries is how long each of its lists may be.
	MaxIdentityEntries = 1000
	// MaxIdentityPatterns is how many expressions block values: each one is held
	// against every key.
	MaxIdentityPatterns = 32
	// maxPatternBytes is the length of one.
	maxPatternBytes = 200
)

// Guards gives the guards of identity that the plan asks for, which are
// DefaultGuards where it says nothing. The caller may add devices to what it
// gets: see AddDevice.
func (p *Plan) Guards() Guards {
	g := p.guards
	if g.Limits == nil { // a plan that was not parsed
		return DefaultGuards()
	}
	g.Devices, g.Limits, g.Windows = maps.Clone(g.Devices), maps.Clone(g.Limits), maps.Clone(g.Windows)
	return g
}

// AddDevice makes a namespace one of devices or browsers. Where nothing is
// said about its limit, that of anonymous ids holds.
func (g *Guards) AddDevice(namespace string) {
	if g.Devices == nil {
		g.Devices = map[string]bool{}
	}
	g.Devices[namespace] = true
	if _, said := g.Limits[namespace]; said {
		return
	}
	g.Limits[namespace] = g.limit(NamespaceAnonymous)
	if w, ok := g.Windows[NamespaceAnonymous]; ok {
		g.Windows[namespace] = w
	}
}

// Fingerprint is equal for guards that decide alike.
func (g Guards) Fingerprint() [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%v %d %v %d %v %v %v %v %v %q\n", g.Limits, g.VendorLimit, g.Windows, g.MaxKeys,
		g.Blocked, g.BlockedLocals, g.BlockedDomains, g.RoleLocals, g.Devices, g.Priority)
	for _, p := range g.Patterns {
		fmt.Fprintf(h, "%q %q\n", p.Namespace, p.Match)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// identity reads the guards of identity.
func (d *planReader) identity() {
	g := DefaultGuards()
	d.r.Map("identity", func(r *document.Reader) {
		r.Entries("limits", func(namespace string, r *document.Reader) { readLimit(&g, namespace, r) })
		g.MaxKeys = readMost(r, "most_keys", g.MaxKeys)
		g.Priority = readNamespaces(r, "priority")
		for _, text := range entries(r, "blocked") {
			readBlocked(&g, r, text)
		}
		for _, local := range entries(r, "shared") {
			if strings.ContainsRune(local, '@') {
				r.Fail("shared", "holds %q, want what stands before the @ alone, such as info", cutText(local, 80))
			}
			g.RoleLocals[strings.ToLower(local)] = true
		}
		for _, namespace := range readNamespaces(r, "devices") {
			if slices.Contains([]string{NamespaceUser, NamespaceEmail, NamespacePhone}, namespace) {
				r.Fail("devices", "holds %q, which belongs to a person and not to a device", namespace)
			}
			g.AddDevice(namespace)
		}
		r.Unknown()
	})
	d.p.guards = g
}

// entries reads a list that is bounded.
func entries(r *document.Reader, field string) []string {
	list := r.Texts(field)
	if len(list) > MaxIdentityEntries {
		r.Fail(field, "is too long; the limit is %d", MaxIdentityEntries)
		return list[:MaxIdentityEntries]
	}
	return list
}

func readNamespaces(r *document.Reader, field string) []string {
	list := entries(r, field)
	for i, namespace := range list {
		switch {
		case !validNamespace(namespace):
			r.Fail(field, "holds %q, want user, email, phone, anonymous or a connection's id", cutText(namespace, 80))
		case slices.Contains(list[:i], namespace):
			r.Fail(field, "names %q twice", namespace)
		}
	}
	return list
}

// readLimit reads how many values of a namespace a person may hold: a number,
// none, or a number within a span.
func readLimit(g *Guards, namespace string, r *document.Reader) {
	if namespace != "*" && !validNamespace(namespace) {
		r.Fail("", "%q is no namespace of keys, want user, email, phone, anonymous, a connection's id, or * for all other vendors", cutText(namespace, 80))
		return
	}
	if len(g.Limits) == MaxIdentityEntries {
		r.Fail("", "is one too many; the limit is %d", MaxIdentityEntries)
		return
	}
	if r.Kind("") != document.Map {
		most := readMost(r, "", 0)
		if namespace == "*" {
			g.VendorLimit = most
		} else {
			g.Limits[namespace] = most
		}
		return
	}
	w := KeyWindow{Most: readMost(r, "most", 0)}
	switch {
	case namespace == "*":
		r.Fail("", "can't have a span; give the limit as a number, or name the connection")
	case !r.Has("within"):
		r.Fail("within", "is missing; a limit without a span is a number alone")
	default:
		w.Within = window(r, "within", r.Text("within"))
	}
	r.Unknown()
	if w.Most == 0 || w.Within == 0 || namespace == "*" {
		return
	}
	if g.Windows == nil {
		g.Windows = map[string]KeyWindow{}
	}
	g.Windows[namespace] = w
	g.Limits[namespace] = 0
}

// readMost reads a positive number, or none for no limit, which is zero.
func readMost(r *document.Reader, field string, fallback int) int {
	if !r.Has(field) {
		return fallback
	}
	text := r.Text(field)
	if text == "none" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 100_000 {
		if text != "" {
			r.Fail(field, "is %q, want a number from 1 to 100000, or none", cutText(text, 80))
		}
		return fallback
	}
	return n
}

// readBlocked reads a value, /an expression/ or either behind a namespace and a
// colon.
func readBlocked(g *Guards, r *document.Reader, text string) {
	namespace, value, scoped := strings.Cut(text, ":")
	if !scoped || !validNamespace(namespace) {
		namespace, value = "", text
	}
	pattern, isPattern := strings.CutPrefix(value, "/")
	if isPattern {
		pattern, isPattern = strings.CutSuffix(pattern, "/")
	}
	switch {
	case value == "":
		r.Fail("blocked", "holds %q, which names no value", cutText(text, 80))
	case !isPattern && len(value) > maxKeyBytes:
		r.Fail("blocked", "holds %q…, which is longer than a key can be", cutText(text, 80))
	case !isPattern:
		g.Blocked[strings.ToLower(text)] = true
	case len(g.Patterns) == MaxIdentityPatterns:
		r.Fail("blocked", "holds too many expressions; the limit is %d", MaxIdentityPatterns)
	case len(pattern) > maxPatternBytes:
		r.Fail("blocked", "holds an expression of %d bytes; the limit is %d", len(pattern), maxPatternBytes)
	default:
		match, err := regexp.Compile(pattern)
		if err != nil {
			r.Fail("blocked", "holds %q, which is no regular expression: %v", cutText(text, 80), err)
			return
		}
		if match.MatchString("") && match.MatchString("\x01é~") {
			r.Fail("blocked", "holds %q, which matches every value", cutText(text, 80))
			return
		}
		g.Patterns = append(g.Patterns, KeyPattern{namespace, match})
	}
}
