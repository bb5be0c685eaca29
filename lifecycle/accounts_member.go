package lifecycle

import (
	"cmp"
	"fmt"
	"strings"
)

// Names of the traits that accounts read.
const (
	// TraitAccount is a vendor's id of the company that a person belongs to.
	// What a connection tells of it is also kept as the trait of that
	// connection: see AccountTrait.
	TraitAccount = "account_id"
	// TraitCompany is the company's name.
	TraitCompany = "company"
)

// AccountTrait names the trait that holds the company's id as one connection
// tells it, since the ids of two connections have nothing to do with each other.
func AccountTrait(connection string) string { return TraitAccount + ":" + connection }

// WithAccountTraits adds, to what an event tells, the company's id as a trait
// of the event's own connection.
func WithAccountTraits(e *Event) {
	for i := range e.Traits {
		if t := e.Traits[i]; t.Name == TraitAccount {
			t.Name = AccountTrait(e.Connection)
			e.Traits = append(e.Traits, t)
			return
		}
	}
}

// Member is what a person is to an account.
type Member struct {
	// Account is the key of the account: group:<connection>:<id>,
	// trait:<name>:<value> or domain:<domain>. Empty for nobody's.
	Account string
	// Domain of the person's address, unless it is one that is given to
	// anybody; also where the account is found in another way.
	Domain string
	// Company is the company's name as told of this person, and Since when.
	Company string
	Since   Instant
	Tally   Tally
	// NextCheck is the earliest instant at which time alone may change the
	// tally; zero: none.
	NextCheck Instant
}

// maxShare bounds, in millionths, what one person adds to a sum of money, so
// that no vendor's mistake lets the sum of thousands wrap: a billion.
const maxShare = 1e15

// Member says to which account a person belongs at an instant and what the
// person adds to it; the zero Member for somebody without, and under a plan
// without accounts.
func (p *Plan) Member(prof *Profile, now Instant) Member {
	if p.accounts == nil {
		return Member{}
	}
	m := Member{Domain: p.accounts.domain(prof.Email())}
	if m.Account = p.accounts.of(prof, m.Domain); m.Account == "" {
		return Member{}
	}
	if i, ok := prof.findTrait(TraitCompany); ok {
		if name, text := cleanAccountText(prof.traits[i].Value); text {
			m.Company, m.Since = name, prof.traits[i].Since
		}
	}
	p.measurePerson(&m, prof, now)
	return m
}

// AccountOf gives the key of the account that a person belongs to; empty for
// nobody's, and under a plan without accounts.
func (p *Plan) AccountOf(prof *Profile) string {
	if p.accounts == nil {
		return ""
	}
	return p.accounts.of(prof, p.accounts.domain(prof.Email()))
}

// of gives the first account in the order of the plan.
func (a *accountPlan) of(prof *Profile, domain string) string {
	for _, b := range a.by {
		if key := b.key(prof, domain); key != "" {
			return key
		}
	}
	return ""
}

// measurePerson takes the measures in the order of their ids.
func (p *Plan) measurePerson(m *Member, prof *Profile, now Instant) {
	v := view{plan: p, prof: prof, now: now}
	v.locate()
	next := never
	m.Tally = make(Tally, 0, len(p.accounts.measures)+1)
	for _, x := range p.accounts.measures {
		n := int64(0)
		if x.when == nil {
			if f := v.fact(x.slot); f != nil {
				n = min(max(f.sum(x.currency), -maxShare), maxShare)
			}
		} else {
			holds, flips := x.eval(&v)
			next = min(next, flips)
			if holds {
				n = 1
			}
		}
		if n != 0 {
			m.Tally = append(m.Tally, Measured{x.id, n})
		}
	}
	m.Tally = m.Tally.Plus(Tally{{p.accounts.epoch, 1}}, 1)
	if next != never {
		m.NextCheck = max(next, now+1)
	}
}

// key gives the account's key; empty where the person has none of that kind.
func (b accountBy) key(prof *Profile, domain string) string {
	switch b.kind {
	case byDomain:
		if domain != "" {
			return "domain:" + domain
		}
		return ""
	case byTrait:
		if text, ok := cleanAccountText(prof.Trait(b.name)); ok {
			return "trait:" + b.name + ":" + text
		}
		return ""
	}
	if b.name != "" {
		return groupKey(b.name, prof.Trait(AccountTrait(b.name)))
	}
	prefix := AccountTrait("")
	i, _ := prof.findTrait(prefix)
	for ; i < len(prof.traits) && strings.HasPrefix(prof.traits[i].Name, prefix); i++ {
		if key := groupKey(prof.traits[i].Name[len(prefix):], prof.traits[i].Value); key != "" {
			return key
		}
	}
	return ""
}

func groupKey(connection string, id any) string {
	text, ok := cleanAccountText(id)
	if !ok {
		return ""
	}
	return "group:" + connection + ":" + text
}

// cleanAccountText gives a value as part of a key or a name; false where
// nothing usable is left of it.
func cleanAccountText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return cleanKeyValue(x)
	case int64:
		return fmt.Sprint(x), true
	case float64:
		if x == float64(int64(x)) {
			return fmt.Sprint(int64(x)), true
		}
	}
	return "", false
}

// AccountKey takes an account's key apart: the way it was found, the
// connection or trait, and the id, value or domain.
func AccountKey(key string) (kind, name, value string) {
	kind, rest, _ := strings.Cut(key, ":")
	if kind == "domain" {
		return kind, "", rest
	}
	name, value, _ = strings.Cut(rest, ":")
	return kind, name, value
}

// Newer tells whether the company's name of one member was told after that of
// another; a name comes before none.
func (m *Member) Newer(company string, since Instant) bool {
	return cmp.Or(cmp.Compare(m.Since, since), cmp.Compare(m.Company, company)) > 0
}
