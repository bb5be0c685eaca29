package storetest

import (
	"github.com/stagebridge/stagebridge/store"
)

// watch looks at what waits, before and after it is worked on.
func watch(b *bench) {
	look := func() *store.Watched {
		b.Helper()
		w, err := b.Watch(b.Context())
		b.must(err)
		return w
	}
	if w := look(); w.Oldest != 0 || w.Head != 0 || w.Timer != 0 || w.Timers != 0 || len(w.Pending)+len(w.Lanes)+len(w.Works) > 0 {
		b.Errorf("of an empty store: %+v", w)
	}
	b.connect("crm")
	ids := b.tell("crm", "one", "two")
	people := b.people(2)
	b.want("crm", people[0])
	b.want("crm", people[1])
	_, _, err := b.StartWork(b.Context(), store.Work{Kind: "lab", Subject: "s"})
	b.must(err)
	w := look()
	if w.Head != ids[0] || w.Oldest == 0 || w.Oldest > w.At || w.Pending["crm"] != 2 {
		b.Errorf("raw events: %+v", w)
	}
	if n := w.Works[store.WorkCount{Kind: "lab", State: store.WorkQueued}]; n != 1 {
		b.Errorf("long work: %v", w.Works)
	}
	l := w.Lanes["crm"]
	if l.PushDue == 0 || l.PushHead != int64(people[0]) && l.PushHead != int64(people[1]) || l.Waiting != 2 || l.Failed != 0 || l.EnrichHead != 0 {
		b.Errorf("the lane: %+v", l)
	}
	leased := b.lease("crm", 2, future)
	b.back(leased[0], "A")
	if l := look().Lanes["crm"]; l.Waiting != 1 || l.PushDue != future {
		b.Errorf("the lane while one is leased: %+v", l)
	}
	b.finish(b.take(2), store.Outcome{Status: store.Done})
	_, err = b.Replay(b.Context(), ids[:1])
	b.must(err)
	if w := look(); w.Head != ids[0] || w.Oldest != 0 || w.Pending["crm"] != 1 {
		b.Errorf("while a raw event is processed again: %+v", w)
	}
	if s := b.Stats(); s.Open < 1 || s.InUse > s.Open {
		b.Errorf("the handle: %+v", s)
	}
}
