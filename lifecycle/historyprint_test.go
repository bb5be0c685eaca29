package lifecycle

import "testing"

// TestHistoryPrint: what was true at another time, or otherwise, gives another
// print; what differs in when it was found, and in number, does not.
func TestHistoryPrint(t *testing.T) {
	t.Parallel()
	way := func(change func(*Transition)) historyPrint {
		var h historyPrint
		first := Transition{To: "Lead", Kind: KindForward, At: 5, Event: EventID{1}, Entered: []Segment{"a", "b"}}
		h.add(&first)
		second := Transition{Seq: 2, From: "Lead", To: "Customer", Kind: KindForward, At: 9, Exited: []Segment{"a"}}
		change(&second)
		h.add(&second)
		return h
	}
	same := way(func(*Transition) {})
	if same == 0 {
		t.Error("a history prints as none")
	}
	for name, change := range map[string]func(*Transition){
		"from": func(tr *Transition) { tr.From = "Visit" }, "to": func(tr *Transition) { tr.To = "Visit" }, "kind": func(tr *Transition) { tr.Kind = KindSkip },
		"time": func(tr *Transition) { tr.At++ }, "lifecycle": func(tr *Transition) { tr.Lifecycle = "course" }, "cause": func(tr *Transition) { tr.Event[3] = 1 },
		"side of a segment": func(tr *Transition) { tr.Entered, tr.Exited = tr.Exited, nil }, "segment": func(tr *Transition) { tr.Exited = []Segment{"b"} },
		"border of two texts": func(tr *Transition) { tr.From, tr.To = "LeadC", "ustomer" },
	} {
		if way(change) == same {
			t.Errorf("another %s gives the same print", name)
		}
	}
	if way(func(tr *Transition) { tr.Seq, tr.Decided, tr.PlanVersion = 7, 99, 4 }) != same {
		t.Error("number, time of decision or plan change the print")
	}
}

// TestProfilesWithoutHistoryPrint: the form before it is read on.
func TestProfilesWithoutHistoryPrint(t *testing.T) {
	t.Parallel()
	prof := NewProfile(7)
	prof.Stage, prof.history = "Lead", 4711
	b, err := prof.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if now, err := DecodeProfile(b); err != nil || now.History() != 4711 {
		t.Errorf("%v, print %d", err, now.History())
	}
	b[0] = 3
	old, err := DecodeProfile(b[:len(b)-8])
	if err != nil || old.Stage != "Lead" || old.History() != 0 {
		t.Errorf("%v, %+v", err, old)
	}
}
