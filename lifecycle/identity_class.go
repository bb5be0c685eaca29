package lifecycle

// KeyClass says how much a key tells about who a person is.
type KeyClass string

// The classes.
const (
	// Strong: one person's own, given by whoever keeps the record: a user id, a
	// vendor's record id.
	Strong KeyClass = "strong"
	// Medium: an address that is almost always one person's: e-mail, phone.
	Medium KeyClass = "medium"
	// Weak: several people may share it: a browser, a device, a role's address.
	Weak KeyClass = "weak"
)

// Class gives the class of a key.
func (g Guards) Class(k Key) KeyClass {
	switch {
	case g.class(k) != strongKey:
		return Weak
	case k.Namespace == NamespaceEmail, k.Namespace == NamespacePhone:
		return Medium
	}
	return Strong
}

// Link gives the class of evidence that names two keys together: that of the
// weaker one.
func (g Guards) Link(a, b Key) KeyClass {
	x, y := g.Class(a), g.Class(b)
	switch {
	case x == Weak || y == Weak:
		return Weak
	case x == Medium || y == Medium:
		return Medium
	}
	return Strong
}
