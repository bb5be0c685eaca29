package bench

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// oneShard is a shard that is half busy.
func oneShard() Queueing {
	return Queueing{Rate: 5000, Shards: 1, Commit: time.Millisecond, CommitEvent: 30 * time.Microsecond, Batch: 2000, Process: 10 * time.Millisecond,
		ProcessEvent: 200 * time.Microsecond, Workers: 2, For: 60 * time.Second, Seed: 1}
}

// TestTheSimulationKeepsLittlesLaw: the mean number that waits is the rate
// times the mean wait, and the load on the workers is what arithmetic says.
func TestTheSimulationKeepsLittlesLaw(t *testing.T) {
	t.Parallel()
	q := oneShard()
	q.Process, q.Batch = 0, 1 // each event alone, so that nothing is shared
	r, err := Simulate(q)
	if err != nil {
		t.Fatal(err)
	}
	if want := q.Rate * q.ProcessEvent.Seconds() / float64(q.Workers); math.Abs(r.ProcessBusy-want) > 0.02 {
		t.Errorf("the workers are busy %.3f of the time, want %.3f", r.ProcessBusy, want)
	}
	number, wait := r.area/q.For.Seconds(), r.area/float64(r.events)
	if got := float64(r.events) / q.For.Seconds() * wait; math.Abs(got-number) > 1e-6*number {
		t.Errorf("%.4f events wait at a time, want %.4f", number, got)
	}
	if r.Done.P50 <= r.Answer.P50 || r.Answer.P50 < q.Commit+q.CommitEvent || r.Answer.Max < r.Answer.P99 {
		t.Errorf("times %v and %v", r.Answer, r.Done)
	}
}

func TestTooMuchForAShardPilesUp(t *testing.T) {
	t.Parallel()
	half, much := oneShard(), oneShard()
	much.Rate = 14_000 // the workers bear 10,000
	a, err := Simulate(half)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Simulate(much)
	if err != nil {
		t.Fatal(err)
	}
	if a.Done.P99 > time.Second || a.Most > 5000 {
		t.Errorf("half busy: %+v", a)
	}
	if b.Done.P99 < 10*time.Second || b.Most < 150_000 || b.ProcessBusy < 0.99 {
		t.Errorf("more than it bears: %+v", b)
	}
	if b.Answer.P99 > 100*time.Millisecond {
		t.Errorf("senders wait for processing: %+v", b.Answer)
	}
	much.Shards = 2
	if c, err := Simulate(much); err != nil || c.Done.P99 > time.Second {
		t.Errorf("two shards: %+v, %v", c, err)
	}
}

func TestAnOutageIsWorkedOffAtWhatIsLeft(t *testing.T) {
	t.Parallel()
	q := oneShard()
	q.Outage = 6 * time.Second
	r, err := Simulate(q)
	if err != nil {
		t.Fatal(err)
	}
	// 30,000 events wait; 9,500/s are done while 5,000/s come.
	if want := 6.6; math.Abs(r.Recovered.Seconds()-want) > 1 {
		t.Errorf("worked off after %v, want about %.1f s", r.Recovered, want)
	}
	if r.Most < 29_000 || r.Most > 31_000 {
		t.Errorf("%d events waited, want about 30,000", r.Most)
	}
}

func TestWhatCannotBeSimulatedIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := Simulate(Queueing{}); !errors.Is(err, ErrQueueing) {
		t.Errorf("%v", err)
	}
	q := oneShard()
	q.Rate, q.For = 1e6, time.Hour
	if _, err := Simulate(q); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("%v", err)
	}
	var out bytes.Buffer
	q = oneShard()
	q.For, q.Outage = 3*time.Second, time.Second
	if err := QueueingTable(&out, q, []int{1, 2}); err != nil || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("%v\n%s", err, &out)
	}
}
