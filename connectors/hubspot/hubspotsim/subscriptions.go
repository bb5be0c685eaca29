package hubspotsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usualSubscriptions are those that the connector's default rules use, and the
// properties that Stagebridge writes, so that its writes come back.
var usualSubscriptions = []string{
	"contact.creation", "contact.deletion", "contact.privacyDeletion", "contact.merge",
	"contact.propertyChange:lifecyclestage", "contact.propertyChange:hs_lead_status", "contact.propertyChange:email",
	"contact.propertyChange:firstname", "contact.propertyChange:lastname", "contact.propertyChange:company",
	"contact.propertyChange:jobtitle", "contact.propertyChange:hubspotscore", "contact.propertyChange:hs_email_optout",
	"contact.propertyChange:sb_stage", "contact.propertyChange:sb_segments",
	"deal.creation", "deal.propertyChange:dealstage", "deal.propertyChange:amount", "deal.associationChange",
	"ticket.creation", "ticket.associationChange",
}

// subscription is one of the app's.
type subscription struct {
	number       int64
	ID           string    `json:"id"`
	EventType    string    `json:"eventType"`
	PropertyName string    `json:"propertyName,omitempty"`
	Active       bool      `json:"active"`
	CreatedAt    time.Time `json:"createdAt"`
}

// subscribe adds one, written as type or type:property; the caller holds the
// lock or is alone.
func (s *Sim) subscribe(name string) *subscription {
	kind, property, _ := strings.Cut(name, ":")
	s.lastID++
	sub := &subscription{number: s.lastID, ID: strconv.FormatInt(s.lastID, 10), EventType: kind, PropertyName: property, Active: true, CreatedAt: s.options.Now().UTC()}
	s.subscribed[sub.ID] = sub
	return sub
}

// subscription finds one; the caller holds the lock.
func (s *Sim) subscription(kind, property string) *subscription {
	for _, sub := range s.subscribed {
		if sub.EventType == kind && sub.PropertyName == property {
			return sub
		}
	}
	return nil
}

// Target is the address that webhooks go to.
func (s *Sim) Target() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target
}

// SetTarget makes webhooks go to another address; empty: they wait.
func (s *Sim) SetTarget(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = target
}

// Subscriptions lists the active ones as type or type:property, sorted.
func (s *Sim) Subscriptions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, sub := range s.subscribed {
		if sub.Active {
			all = append(all, strings.TrimSuffix(sub.EventType+":"+sub.PropertyName, ":"))
		}
	}
	slices.Sort(all)
	return all
}

func (s *Sim) readSettings(w http.ResponseWriter, _ *http.Request) {
	target := s.Target()
	if target == "" {
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "the app has no webhook settings"})
		return
	}
	s.answerSettings(w, target)
}

func (s *Sim) answerSettings(w http.ResponseWriter, target string) {
	now := s.options.Now().UTC()
	answer(w, http.StatusOK, map[string]any{
		"targetUrl": target, "throttling": map[string]any{"maxConcurrentRequests": 10}, "createdAt": now, "updatedAt": now,
	})
}

func (s *Sim) changeSettings(w http.ResponseWriter, r *http.Request) {
	var q struct {
		TargetURL  string
		Throttling struct{ MaxConcurrentRequests int }
	}
	if !s.decode(w, r, &q) {
		return
	}
	if q.TargetURL == "" || q.Throttling.MaxConcurrentRequests <= 5 {
		s.refuse(w, http.StatusBadRequest, *invalid("targetUrl is required and maxConcurrentRequests must be above 5"))
		return
	}
	s.mu.Lock()
	s.target = q.TargetURL
	s.mu.Unlock()
	s.answerSettings(w, q.TargetURL)
}

func (s *Sim) deleteSettings(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.target = ""
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) listSubscriptions(w http.ResponseWriter, _ *http.Request) {
	all := []subscription{}
	s.mu.Lock()
	for _, sub := range s.subscribed {
		all = append(all, *sub)
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b subscription) int { return int(a.number - b.number) })
	answer(w, http.StatusOK, map[string]any{"results": all})
}

func (s *Sim) createSubscription(w http.ResponseWriter, r *http.Request) {
	var q struct {
		EventType, PropertyName string
		Active                  bool
	}
	if !s.decode(w, r, &q) {
		return
	}
	if q.EventType == "" || strings.HasSuffix(q.EventType, ".propertyChange") == (q.PropertyName == "") {
		s.refuse(w, http.StatusBadRequest, *invalid("propertyName is required for propertyChange and for nothing else"))
		return
	}
	s.mu.Lock()
	there := s.subscription(q.EventType, q.PropertyName)
	var made subscription
	if there == nil {
		sub := s.subscribe(q.EventType + ":" + q.PropertyName)
		sub.Active = q.Active
		made = *sub
	}
	s.mu.Unlock()
	if there != nil {
		s.refuse(w, http.StatusConflict, apiError{Status: "error", Category: "CONFLICT", Message: "the subscription already exists"})
		return
	}
	answer(w, http.StatusCreated, made)
}

func (s *Sim) changeSubscription(w http.ResponseWriter, r *http.Request) {
	var q struct{ Active bool }
	if !s.decode(w, r, &q) {
		return
	}
	s.mu.Lock()
	sub := s.subscribed[r.PathValue("id")]
	var now subscription
	if sub != nil {
		sub.Active = q.Active
		now = *sub
	}
	s.mu.Unlock()
	if sub == nil {
		s.refuse(w, http.StatusNotFound, apiError{Status: "error", Category: "OBJECT_NOT_FOUND", Message: "no such subscription"})
		return
	}
	answer(w, http.StatusOK, now)
}

func (s *Sim) deleteSubscription(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.subscribed, r.PathValue("id"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
