package hubspotsim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// record is a CRM object.
type record struct {
	id         string
	properties map[string]string
	created    time.Time
	updated    time.Time
}

// Contact is what the account holds about a contact.
type Contact struct {
	ID         string
	Properties map[string]string
	// Lists are the names of the lists the contact is in, sorted.
	Lists []string
}

// actor is who changes something, as webhooks tell it.
type actor struct{ source, id string }

// person changes things by hand.
var person = actor{"CRM_UI", "userId:331"}

// AddContact makes a contact by hand and gives its id. A contact with the same
// e-mail address is given instead.
func (s *Sim) AddContact(properties map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.byEmail[fold(properties["email"])]; id != "" && properties["email"] != "" {
		return id
	}
	return s.create("contacts", properties, person).id
}

// SetContact changes properties by hand: a stage may move back then. It reports
// whether the contact is there.
func (s *Sim) SetContact(id string, properties map[string]string) bool {
	return s.set("contacts", id, properties)
}

// AddDeal makes a deal by hand, linked to contacts, and gives its id.
func (s *Sim) AddDeal(properties map[string]string, contacts ...string) string {
	return s.addLinked("deals", properties, contacts)
}

// SetDeal changes properties of a deal by hand.
func (s *Sim) SetDeal(id string, properties map[string]string) bool {
	return s.set("deals", id, properties)
}

// AddTicket makes a ticket by hand, linked to contacts, and gives its id.
func (s *Sim) AddTicket(properties map[string]string, contacts ...string) string {
	return s.addLinked("tickets", properties, contacts)
}

// AddCompany makes a company by hand, linked to contacts, and gives its id.
func (s *Sim) AddCompany(properties map[string]string, contacts ...string) string {
	return s.addLinked("companies", properties, contacts)
}

func (s *Sim) addLinked(kind string, properties map[string]string, contacts []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.create(kind, properties, person)
	for _, contact := range contacts {
		s.links[kind+"/"+o.id] = append(s.links[kind+"/"+o.id], contact)
		s.tellLink(kind, o.id, contact)
	}
	return o.id
}

func (s *Sim) set(kind, id string, properties map[string]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.records[kind][id]
	if o == nil {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		s.change(kind, o, name, properties[name], person)
	}
	return true
}

// Delete removes a contact; with privacy for good, at the person's request.
func (s *Sim) Delete(id string, privacy bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records["contacts"][id] == nil {
		return false
	}
	s.remove(id)
	if privacy {
		s.tell(Event{SubscriptionType: "contact.privacyDeletion", ObjectID: id, ChangeFlag: "DELETED"}, person)
	}
	s.tell(Event{SubscriptionType: "contact.deletion", ObjectID: id, ChangeFlag: "DELETED"}, person)
	return true
}

// Merge joins a contact into another, whose record stays.
func (s *Sim) Merge(primary, other string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep, lose := s.records["contacts"][primary], s.records["contacts"][other]
	if keep == nil || lose == nil || keep == lose {
		return false
	}
	s.remove(other)
	address := fold(lose.properties["email"])
	if address != "" {
		s.byEmail[address] = primary
		keep.properties["hs_additional_emails"] = joined(keep.properties["hs_additional_emails"], address)
	}
	s.merged[other] = primary
	keep.properties["hs_merged_object_ids"] = joined(keep.properties["hs_merged_object_ids"], other)
	for _, people := range s.links {
		for i, id := range people {
			if id == other {
				people[i] = primary
			}
		}
	}
	s.tell(Event{
		SubscriptionType: "contact.merge", ObjectID: primary, PrimaryObjectID: primary,
		MergedObjectIDs: []string{other}, NewObjectID: primary, NumberOfPropertiesMoved: len(lose.properties),
	}, person)
	return true
}

// Contact gives a contact by id.
func (s *Sim) Contact(id string) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contact(id)
}

// ByEmail gives a contact by its address.
func (s *Sim) ByEmail(address string) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contact(s.byEmail[fold(address)])
}

// Contacts gives them all, by primary e-mail address; those without one are
// left out.
func (s *Sim) Contacts() map[string]Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]Contact, len(s.records["contacts"]))
	for id, o := range s.records["contacts"] {
		if address := fold(o.properties["email"]); address != "" {
			all[address], _ = s.contact(id)
		}
	}
	return all
}

func (s *Sim) contact(id string) (Contact, bool) {
	o := s.records["contacts"][id]
	if o == nil {
		return Contact{}, false
	}
	c := Contact{ID: id, Properties: maps.Clone(o.properties)}
	for _, l := range s.lists {
		if l.members[id] {
			c.Lists = append(c.Lists, l.name)
		}
	}
	slices.Sort(c.Lists)
	return c, true
}

// create makes a record; the caller holds the lock.
func (s *Sim) create(kind string, properties map[string]string, by actor) *record {
	now := s.options.Now().UTC()
	o := &record{id: s.nextNumber(), properties: maps.Clone(properties), created: now, updated: now}
	if o.properties == nil {
		o.properties = map[string]string{}
	}
	s.records[kind][o.id] = o
	if kind == "contacts" && o.properties["email"] != "" {
		s.byEmail[fold(o.properties["email"])] = o.id
	}
	s.tell(Event{SubscriptionType: singular[kind] + ".creation", ObjectID: o.id, ChangeFlag: "CREATED"}, by)
	for _, name := range slices.Sorted(maps.Keys(o.properties)) {
		s.tell(Event{SubscriptionType: singular[kind] + ".propertyChange", ObjectID: o.id, PropertyName: name, PropertyValue: o.properties[name]}, by)
	}
	return o
}

// change sets one property and tells of it; the caller holds the lock.
func (s *Sim) change(kind string, o *record, name, value string, by actor) {
	if o.properties[name] == value {
		return
	}
	if kind == "contacts" && name == "email" {
		delete(s.byEmail, fold(o.properties["email"]))
		if value != "" {
			s.byEmail[fold(value)] = o.id
		}
	}
	if value == "" {
		delete(o.properties, name)
	} else {
		o.properties[name] = value
	}
	o.updated = s.options.Now().UTC()
	s.tell(Event{SubscriptionType: singular[kind] + ".propertyChange", ObjectID: o.id, PropertyName: name, PropertyValue: value}, by)
}

// remove forgets a contact; the caller holds the lock.
func (s *Sim) remove(id string) {
	for address, owner := range s.byEmail {
		if owner == id {
			delete(s.byEmail, address)
		}
	}
	delete(s.records["contacts"], id)
	for _, l := range s.lists {
		delete(l.members, id)
	}
}

// singular names of the object types, as webhooks use them.
var singular = map[string]string{"contacts": "contact", "companies": "company", "deals": "deal", "tickets": "ticket"}

func fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func joined(there, more string) string {
	if there == "" {
		return more
	}
	return there + ";" + more
}

// String helps to read a failed test.
func (c Contact) String() string { return fmt.Sprintf("%s %v %v", c.ID, c.Properties, c.Lists) }
