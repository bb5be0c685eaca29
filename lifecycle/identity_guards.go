package lifecycle

import (
	"cmp"
	"slices"
	"strings"
)

// Guards are the rules that keep strangers apart. The zero value guards
// nothing; DefaultGuards is the place to start. It is read only once in use,
// and then safe for concurrent use.
type Guards struct {
	// Limits is the most values of a namespace that one person may hold.
	// VendorLimit holds for a namespace without an entry, so for every vendor's
	// ids. Zero or less is no limit.
	Limits      map[string]int
	VendorLimit int
	// Windows limits how many values of a namespace may be new to a person
	// within a span, beside what Limits says of all time. A value is new at the
	// earliest event that names it together with another key.
	Windows map[string]KeyWindow
	// MaxKeys is the most keys of one person over all namespaces; zero or less
	// is no limit.
	MaxKeys int

	// Blocked holds values, in lower case, that say nothing about who a person
	// is, in whatever namespace; "user:1" blocks the value 1 among users only.
	// Beside these, values of nothing but zeros and hyphens and unfilled
	// placeholders such as {{user_id}} are always blocked.
	Blocked map[string]bool
	// BlockedLocals and BlockedDomains, in lower case, block e-mail addresses
	// by what stands before the @ (without a +tag) and after it. A word in
	// Blocked counts as a local part too.
	BlockedLocals  map[string]bool
	BlockedDomains map[string]bool
	// Patterns block the values that they match.
	Patterns []KeyPattern

	// Priority names namespaces, the one that comes first first; those it does
	// not name follow in the order of SortKeys. It decides which key of an event
	// is its anchor, but puts no role address or device before a person's own id.
	Priority []string

	// RoleLocals, in lower case, are the local parts of addresses that belong
	// to a role and are read by several people. Such an address identifies a
	// person as long as nothing better does, but never joins two known people.
	RoleLocals map[string]bool
	// Devices names the namespaces that identify a device or browser and not a
	// person; NamespaceAnonymous is always one. Such a key never joins two
	// people who own different ids of one other namespace.
	Devices map[string]bool
}

// DefaultGuards gives the guards that a new installation starts with, as a
// value of its own that the caller may change.
func DefaultGuards() Guards {
	return Guards{
		Limits: map[string]int{
			NamespaceUser:      1,
			NamespaceEmail:     5,
			NamespacePhone:     5,
			NamespaceAnonymous: 50,
		},
		VendorLimit: 5,
		MaxKeys:     150,
		Blocked: wordSet("null", "nil", "undefined", "none", "nan", "n/a", "na", "-1", "anonymous", "anon", "guest",
			"unknown", "empty", "blank", "test", "tbd", "true", "false", "(not set)", "(none)", "not set", "[object object]", "unidentified"),
		BlockedLocals: wordSet("noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply",
			"do.not.reply", "mailer-daemon", "bounce", "bounces", "postmaster", "noemail", "no-email", "invalid"),
		BlockedDomains: wordSet("localhost", "invalid", "example.invalid"),
		RoleLocals: wordSet("info", "sales", "support", "contact", "hello", "hi", "office", "admin", "administrator", "billing",
			"accounts", "accounting", "finance", "invoice", "invoices", "purchasing", "orders", "help", "helpdesk", "service",
			"team", "staff", "mail", "email", "marketing", "press", "media", "hr", "jobs", "careers", "legal", "privacy",
			"abuse", "security", "webmaster", "hostmaster", "it", "dev", "ops", "enquiries", "inquiries", "kontakt", "contato", "contacto"),
	}
}

func wordSet(words ...string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

// keyClass ranks what a key says about a person.
type keyClass uint8

const (
	strongKey keyClass = iota // a person's own: user, e-mail, phone, a vendor's record
	roleKey                   // an address that several people read
	deviceKey                 // a browser or device that several people may use
)

func (g *Guards) class(k Key) keyClass {
	switch {
	case k.Namespace == NamespaceAnonymous || g.Devices[k.Namespace]:
		return deviceKey
	case k.Namespace == NamespaceEmail && g.RoleLocals[localPart(k.Value)]:
		return roleKey
	default:
		return strongKey
	}
}

// compare orders keys as Usable gives them: SortKeys' order, but role
// addresses behind every id of a person's own and devices last, so that an
// event is never anchored at a shared inbox while it names the person.
func (g *Guards) compare(a, b Key) int {
	return cmp.Or(cmp.Compare(g.class(a), g.class(b)), g.compareAlike(a, b))
}

// Usable gives the keys that may identify a person, strongest first and each
// once: without the blocked ones, in the order of SortKeys except that role
// addresses stand behind every vendor's id. The first of them is the anchor,
// the key whose person the event belongs to; none means the event belongs to
// nobody. The argument is left alone, and is itself the answer where nothing
// had to change.
func (g Guards) Usable(keys []Key) []Key {
	if g.allUsable(keys) {
		return keys
	}
	out := make([]Key, 0, len(keys))
	for _, k := range keys {
		if !g.blocked(k) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, g.compare)
	return slices.Compact(out)
}

func (g *Guards) allUsable(keys []Key) bool {
	before := strongKey
	for i, k := range keys {
		class := g.class(k)
		if g.blocked(k) || class < before || i > 0 && class == before && g.compareAlike(keys[i-1], k) >= 0 {
			return false
		}
		before = class
	}
	return true
}

// blocked says whether a key must identify nobody.
func (g *Guards) blocked(k Key) bool {
	if onlyZeros(k.Value) || strings.Contains(k.Value, "{{") || strings.HasPrefix(k.Value, "*|") || strings.HasPrefix(k.Value, "${") {
		return true
	}
	if lookFold(g.Blocked, "", k.Value) || lookFold(g.Blocked, k.Namespace, k.Value) {
		return true
	}
	if g.matched(k) {
		return true
	}
	if k.Namespace != NamespaceEmail {
		return false
	}
	local := localPart(k.Value)
	domain := k.Value[strings.LastIndexByte(k.Value, '@')+1:]
	return g.BlockedLocals[local] || g.Blocked[local] || g.BlockedDomains[domain]
}

// onlyZeros holds for the empty value, "0", "-" and the all-zero UUID that
// devices give when advertising is limited.
func onlyZeros(s string) bool {
	for i := range len(s) {
		if s[i] != '0' && s[i] != '-' {
			return false
		}
	}
	return true
}

// lookFold looks value up, or namespace:value, with ASCII letters folded and
// without allocating.
func lookFold(set map[string]bool, namespace, value string) bool {
	var buf [maxNamespaceBytes + 1 + maxKeyBytes]byte
	if len(set) == 0 || len(namespace)+1+len(value) > len(buf) {
		return false
	}
	b := buf[:0]
	if namespace != "" {
		b = append(append(b, namespace...), ':')
	}
	for i := range len(value) {
		c := value[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return set[string(b)]
}

// localPart is what stands before an address's @, without a +tag.
func localPart(address string) string {
	local := address[:max(strings.LastIndexByte(address, '@'), 0)]
	before, _, _ := strings.Cut(local, "+")
	return before
}
