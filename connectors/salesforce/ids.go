package salesforce

import "strings"

const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

// isID reports whether a text has the form of a record id, of 15 or 18
// characters, of the object with the prefix (empty: of any).
func isID(text, prefix string) bool {
	if len(text) != 15 && len(text) != 18 || !strings.HasPrefix(text, prefix) {
		return false
	}
	for _, b := range []byte(text) {
		if !(b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z') {
			return false
		}
	}
	return true
}

// id18 gives the long form of a record id. Salesforce writes one id in two
// forms: 15 characters whose case matters, and the same with three more that
// tell which of them are capitals. What is no id is given back as it is.
func id18(text string) string {
	if len(text) != 15 || !isID(text, "") {
		return text
	}
	long := []byte(text)
	for group := range 3 {
		bits := 0
		for i := range 5 {
			if b := text[5*group+i]; b >= 'A' && b <= 'Z' {
				bits |= 1 << i
			}
		}
		long = append(long, idLetters[bits])
	}
	return string(long)
}

// objectOf tells a contact's id from a lead's; empty for anything else.
// The prefixes are the same in every organization.
func objectOf(id string) string {
	switch {
	case isID(id, "003"):
		return objectContact
	case isID(id, "00Q"):
		return objectLead
	}
	return ""
}

// foldEmail is the spelling that addresses are compared in; SOQL compares them
// without regard to case as well.
func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// quoted makes a text a literal of SOQL.
func quoted(text string) string {
	return "'" + soqlEscapes.Replace(text) + "'"
}

// soqlEscapes are the characters that a literal of SOQL spells otherwise
// (developer.salesforce.com, SOQL and SOSL Reference, "Quoted String Escape
// Sequences").
var soqlEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`, "\x00", "")

// quotedList is the operand of IN.
func quotedList(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = quoted(v)
	}
	return "(" + strings.Join(all, ",") + ")"
}
