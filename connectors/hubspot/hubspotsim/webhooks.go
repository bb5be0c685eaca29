package hubspotsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxEvents is the most events of one delivery.
const maxEvents = 100

// Event is one webhook event on the wire. Ids are texts here and written as
// numbers.
type Event struct {
	SubscriptionType        string
	ObjectID                string
	PropertyName            string
	PropertyValue           string
	ChangeFlag              string
	PrimaryObjectID         string
	NewObjectID             string
	MergedObjectIDs         []string
	NumberOfPropertiesMoved int
	AssociationType         string
	FromObjectID            string
	ToObjectID              string

	// The rest is filled in when something happens.
	EventID, SubscriptionID int64
	PortalID, AppID         int64
	OccurredAt              time.Time
	AttemptNumber           int
	ChangeSource, SourceID  string
}

// MarshalJSON writes the members that an event of its type has.
func (e Event) MarshalJSON() ([]byte, error) {
	m := map[string]any{
		"eventId": e.EventID, "subscriptionId": e.SubscriptionID, "portalId": e.PortalID, "appId": e.AppID,
		"occurredAt": e.OccurredAt.UnixMilli(), "subscriptionType": e.SubscriptionType, "attemptNumber": e.AttemptNumber,
		"changeSource": e.ChangeSource, "sourceId": e.SourceID,
	}
	for name, id := range map[string]string{
		"objectId": e.ObjectID, "primaryObjectId": e.PrimaryObjectID, "newObjectId": e.NewObjectID,
		"fromObjectId": e.FromObjectID, "toObjectId": e.ToObjectID,
	} {
		if id != "" {
			m[name] = json.Number(id)
		}
	}
	if e.PropertyName != "" {
		m["propertyName"], m["propertyValue"] = e.PropertyName, e.PropertyValue
	}
	if e.ChangeFlag != "" {
		m["changeFlag"] = e.ChangeFlag
	}
	if len(e.MergedObjectIDs) > 0 {
		ids := make([]json.Number, len(e.MergedObjectIDs))
		for i, id := range e.MergedObjectIDs {
			ids[i] = json.Number(id)
		}
		m["mergedObjectIds"], m["numberOfPropertiesMoved"] = ids, e.NumberOfPropertiesMoved
	}
	if e.AssociationType != "" {
		m["associationType"], m["associationRemoved"], m["isPrimaryAssociation"] = e.AssociationType, false, false
	}
	return json.Marshal(m)
}

// tell queues an event where somebody subscribed to it; the caller holds the lock.
func (s *Sim) tell(e Event, by actor) {
	sub := s.subscription(e.SubscriptionType, e.PropertyName)
	if sub == nil || !sub.Active {
		return
	}
	s.lastID++
	e.EventID, e.SubscriptionID = s.lastID, sub.number
	e.PortalID, e.AppID = s.options.PortalID, s.options.AppID
	e.OccurredAt = s.options.Now()
	e.ChangeSource, e.SourceID = by.source, by.id
	s.queue = append(s.queue, e)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tellLink tells of a new association, from both sides; the caller holds the lock.
func (s *Sim) tellLink(kind, id, contact string) {
	from := singular[kind]
	upper := map[string]string{"deal": "DEAL", "ticket": "TICKET", "company": "COMPANY"}[from]
	s.tell(Event{SubscriptionType: from + ".associationChange", AssociationType: upper + "_TO_CONTACT", FromObjectID: id, ToObjectID: contact}, person)
	s.tell(Event{SubscriptionType: "contact.associationChange", AssociationType: "CONTACT_TO_" + upper, FromObjectID: contact, ToObjectID: id}, person)
}

// Pending is how many events wait for delivery.
func (s *Sim) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// Take gives the waiting events and forgets them, for tests without a receiver.
func (s *Sim) Take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.queue
	s.queue = nil
	return taken
}

// Deliver sends what waits, in signed batches, and gives how many events were
// taken. What is refused goes back to the queue, its attempt counted.
func (s *Sim) Deliver(ctx context.Context) (int, error) {
	delivered := 0
	for {
		target, events := s.nextDelivery()
		n := len(events)
		if n == 0 {
			return delivered, nil
		}
		err := s.post(ctx, target, events)
		s.mu.Lock()
		if err != nil {
			s.counts.Undelivered += n
			for i := range events {
				events[i].AttemptNumber++
			}
			s.queue = append(events, s.queue...)
			s.mu.Unlock()
			return delivered, err
		}
		s.counts.Delivered += n
		s.mu.Unlock()
		delivered += n
	}
}

// nextDelivery takes the events of one delivery off the queue; none while there
// is nowhere to send them.
func (s *Sim) nextDelivery() (target string, events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.target == "" {
		return "", nil
	}
	n := min(len(s.queue), maxEvents)
	events = s.queue[:n:n]
	s.queue = s.queue[n:]
	return s.target, events
}

// retryPause is the wait after a refused delivery; HubSpot's own is random and
// longer.
const retryPause = 500 * time.Millisecond

// Run delivers whatever happens until the context or the Sim ends.
func (s *Sim) Run(ctx context.Context) {
	for !s.over(ctx) {
		// After a failure it waits for the pause, not for news.
		wake, again := s.wake, (<-chan time.Time)(nil)
		select {
		case <-ctx.Done():
		case <-s.closed:
		case <-time.After(s.options.Latency):
		}
		if _, err := s.Deliver(ctx); err != nil {
			wake, again = nil, time.After(retryPause)
		}
		select {
		case <-ctx.Done():
		case <-s.closed:
		case <-wake:
		case <-again:
		}
	}
}

func (s *Sim) over(ctx context.Context) bool {
	select {
	case <-s.closed:
		return true
	default:
		return ctx.Err() != nil
	}
}

// post sends one delivery.
func (s *Sim) post(ctx context.Context, target string, events []Event) error {
	body, err := json.Marshal(events)
	if err != nil {
		return fmt.Errorf("hubspotsim: write events: %w", err)
	}
	r, err := s.Request(ctx, target, body)
	if err != nil {
		return err
	}
	res, err := s.options.Client.Do(r)
	if err != nil {
		return fmt.Errorf("hubspotsim: deliver: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("hubspotsim: deliver: answered %d", res.StatusCode)
	}
	return nil
}

// Request makes a delivery with the signatures v3 and v1, as HubSpot sends both.
func (s *Sim) Request(ctx context.Context, target string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("hubspotsim: make a delivery: %w", err)
	}
	key, stamp := s.options.ClientSecret.Reveal(), strconv.FormatInt(s.options.Now().UnixMilli(), 10)
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(http.MethodPost + target))
	m.Write(body)
	m.Write([]byte(stamp))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "HubSpot Connect 2.0 (simulated by Stagebridge)")
	r.Header.Set(SimulatedHeader, "hubspot")
	r.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	r.Header.Set("X-HubSpot-Request-Timestamp", stamp)
	r.Header.Set("X-HubSpot-Signature", fmt.Sprintf("%x", sha256.Sum256(append([]byte(key), body...))))
	r.Header.Set("X-HubSpot-Signature-Version", "v1")
	return r, nil
}
