package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// perTransaction is how many people Populate writes at once.
const perTransaction = 2_000

// Populate stores people of two years with the events that reports read, as
// processing would have left them but for what reports do not read: keys,
// memberships, transitions. It answers how many events those are.
func Populate(ctx context.Context, s *store.Store, plan *lifecycle.Plan, people int, now lifecycle.Instant) (int64, error) {
	var events int64
	for from := 0; from < people; from += perTransaction {
		n := min(perTransaction, people-from)
		first, err := s.PersonIDs(ctx, n)
		if err != nil {
			return events, err
		}
		rows, all := make([]*store.Person, n), make([]store.Stored, 0, 8*n)
		for i := range n {
			id := first + lifecycle.ProfileID(i)
			life := life(int64(id), now)
			prof, _ := plan.Derive(id, life, now)
			state, err := prof.AppendBinary(nil)
			if err != nil {
				return events, err
			}
			rows[i] = &store.Person{ID: id, Keys: []string{life[0].Identity[0].String()}, State: state, Stage: prof.Stage, Since: prof.Since, LastSeen: prof.LastSeen}
			for _, e := range life {
				all = append(all, store.Stored{Person: id, Event: e})
			}
		}
		err = s.Derived(ctx, func(t *store.Tx) error {
			if err := t.SavePeopleTx(ctx, rows); err != nil {
				return err
			}
			return t.AddEventsTx(ctx, all)
		})
		if err != nil {
			return events, err
		}
		events += int64(len(all))
	}
	return events, nil
}

// teller adds events to one person's life.
type teller struct {
	id     int64
	rnd    *rand.Rand
	at     lifecycle.Instant
	events []lifecycle.Event
}

func (t *teller) tell(connection string, name lifecycle.EventName, key string, micros int64, properties map[string]any) {
	e := lifecycle.Event{
		Name: name, At: t.at, Connection: connection, Inbox: 1, BusinessKey: key, Properties: properties,
		Identity: []lifecycle.Key{{Namespace: "user", Value: fmt.Sprintf("u%d", t.id)}},
	}
	e.ID = lifecycle.NewEventID(connection, fmt.Append(nil, t.id), len(t.events))
	if micros != 0 {
		e.Value = &lifecycle.Money{Micros: micros, Currency: "EUR"}
	}
	t.events = append(t.events, e)
}

// wait lets up to so many days pass.
func (t *teller) wait(days int) {
	t.at = t.at.Add(time.Duration(1+t.rnd.IntN(days*86_400)) * time.Second)
}

func (t *teller) chance(percent int) bool { return t.rnd.IntN(100) < percent }

// life is what is known of one person: always the same for a number. Some
// events of the newest people lie ahead of now and are left out.
func life(id int64, now lifecycle.Instant) []lifecycle.Event {
	t := &teller{id: id, rnd: rand.New(rand.NewPCG(uint64(id), 1))}
	t.at = now.Add(-time.Duration(1+t.rnd.IntN(730*86_400)) * time.Second)
	sources := []string{"search", "newsletter", "social", "partner", "direct"}
	for range 1 + t.rnd.IntN(3) {
		t.tell("site", "Campaign:Touched", "", 0, map[string]any{"source": sources[t.rnd.IntN(len(sources))], "medium": "cpc", "campaign": fmt.Sprint("c", t.rnd.IntN(40))})
		t.wait(10)
	}
	if t.chance(60) {
		t.tell("crm", "Lead:Created", "", 0, map[string]any{"source": sources[t.rnd.IntN(len(sources))]})
		t.wait(2)
		if t.chance(70) {
			t.tell("crm", "Lead:Contacted", "", 0, map[string]any{"channel": "phone"})
			t.wait(5)
		}
	}
	if t.chance(45) {
		for n := range 1 + t.rnd.IntN(6) {
			t.tell("shop", "Order:Completed", fmt.Sprint("o", id, n), int64(500+t.rnd.IntN(20_000))*10_000, nil)
			t.wait(60)
		}
	}
	if t.chance(20) {
		deal := fmt.Sprint("d", id)
		t.tell("crm", "Deal:Created", deal, 900_000_000, map[string]any{"deal": deal, "pipeline": "standard"})
		t.wait(40)
		if t.chance(40) {
			t.tell("crm", "Deal:Won", deal, 800_000_000, map[string]any{"deal": deal, "pipeline": "standard"})
		} else {
			t.tell("crm", "Deal:Lost", deal, 900_000_000, map[string]any{"deal": deal, "pipeline": "standard"})
		}
		t.wait(10)
	}
	if t.chance(15) {
		paid := map[string]any{"subscription": fmt.Sprint("s", id), "plan": "pro", "interval": "month"}
		t.tell("billing", "Subscription:Started", fmt.Sprint("s", id), 29_000_000, paid)
		for n := range t.rnd.IntN(8) {
			t.wait(30)
			t.tell("billing", "Subscription:Renewed", fmt.Sprint("i", id, n), 29_000_000, paid)
		}
		if t.chance(30) {
			t.wait(30)
			t.tell("billing", "Subscription:Canceled", fmt.Sprint("s", id), 0, paid)
		}
	}
	if t.chance(20) {
		t.wait(20)
		t.tell("desk", "Ticket:Opened", fmt.Sprint("t", id), 0, map[string]any{"ticket": id, "channel": "mail"})
		t.wait(3)
		t.tell("desk", "Ticket:Solved", fmt.Sprint("t", id), 0, map[string]any{"ticket": id})
	}
	if t.chance(15) {
		t.wait(20)
		t.tell("survey", "Survey:Answered", fmt.Sprint("a", id), 0, map[string]any{"survey": "relation", "kind": "nps", "score": int64(t.rnd.IntN(11))})
	}
	past := t.events[:1]
	for _, e := range t.events[1:] {
		if e.At < now {
			past = append(past, e)
		}
	}
	return past
}
