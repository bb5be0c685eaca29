package bench

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"text/tabwriter"
	"time"
)

// Queueing describes shards that share events between them, each a database of
// its own with its replicas, for Simulate. All costs are those of one shard.
type Queueing struct {
	// Rate is what arrives at all shards together, in events a second, and
	// Shards how many there are.
	Rate   float64
	Shards int
	// Uneven is how much more than its part the fullest shard gets: 0.1 is a
	// tenth more.
	Uneven float64
	// Commit is what a group commit costs however many share it, CommitEvent
	// what each event adds.
	Commit, CommitEvent time.Duration
	// Batch is the most events of a processing transaction; Process is what one
	// costs however few they are, ProcessEvent what each adds, and Workers how
	// many are under way at once.
	Batch                 int
	Process, ProcessEvent time.Duration
	Workers               int
	// For is how long is simulated; Outage, when not zero, is how long nothing
	// is processed, from a third of it on, as while a database fails over.
	For, Outage time.Duration
	Seed        uint64
}

// Queued is what became of the fullest shard.
type Queued struct {
	Rate float64 // events a second
	// CommitLoad and ProcessLoad are the parts that the rate is of the most that
	// the shard can commit and process; ProcessBusy is the part of the time in
	// which the workers had something to do, which small batches fill too.
	CommitLoad, ProcessLoad, ProcessBusy float64
	// Answer is how long a webhook waited for its commit; Done how long until
	// its events were processed.
	Answer, Done Waits
	// Most is the largest backlog in events, and Recovered how long after the
	// end of the outage it took until none was left; negative: not within For.
	Most      int
	Recovered time.Duration
	events    int
	area      float64 // events waiting, times seconds
}

// Waits are times that events waited.
type Waits struct{ P50, P99, Max time.Duration }

// ErrQueueing says that what is to be simulated makes no sense.
var ErrQueueing = errors.New("bench: queueing: rate, shards, workers, batch, time and costs must be above zero")

// queueingMost bounds the events of a simulation, which are held in memory.
const queueingMost = 20_000_000

// Simulate lets events arrive at random moments at the fullest shard. They are
// committed by a natural group commit, that is, all that came while the commit
// before was under way go together, and then processed in batches by workers
// that take what is there.
func Simulate(q Queueing) (Queued, error) {
	if q.Rate <= 0 || q.Shards <= 0 || q.Workers <= 0 || q.Batch <= 0 || q.For <= 0 || q.CommitEvent <= 0 || q.ProcessEvent <= 0 || q.Commit < 0 || q.Process < 0 {
		return Queued{}, ErrQueueing
	}
	r := Queued{Rate: q.Rate / float64(q.Shards) * (1 + q.Uneven)}
	r.CommitLoad = r.Rate * q.CommitEvent.Seconds()
	r.ProcessLoad = r.Rate * (q.Process.Seconds()/float64(q.Batch) + q.ProcessEvent.Seconds()) / float64(q.Workers)
	if n := r.Rate * q.For.Seconds(); n > queueingMost {
		return Queued{}, fmt.Errorf("bench: queueing: %.0f events at one shard are more than %d; simulate a shorter time", n, queueingMost)
	}
	arrived := arrivalsOf(q, r.Rate)
	r.events = len(arrived)
	kept := q.commit(arrived)
	done := q.process(kept, &r)
	r.Answer, r.Done = waits(arrived, kept), waits(arrived, done)
	return r, nil
}

// arrivalsOf draws the seconds at which events arrive.
func arrivalsOf(q Queueing, rate float64) []float64 {
	random := rand.New(rand.NewPCG(q.Seed, 29))
	var all []float64
	for at := random.ExpFloat64() / rate; at < q.For.Seconds(); at += random.ExpFloat64() / rate {
		all = append(all, at)
	}
	return all
}

// commit gives when each event is durable.
func (q *Queueing) commit(arrived []float64) []float64 {
	kept := make([]float64, len(arrived))
	free := 0.0
	for i := 0; i < len(arrived); {
		start := max(free, arrived[i])
		n := i
		for n < len(arrived) && arrived[n] <= start {
			n++
		}
		free = start + q.Commit.Seconds() + float64(n-i)*q.CommitEvent.Seconds()
		for ; i < n; i++ {
			kept[i] = free
		}
	}
	return kept
}

// process gives when the effects of each event are written.
func (q *Queueing) process(kept []float64, r *Queued) []float64 {
	done := make([]float64, len(kept))
	workers := make([]float64, q.Workers) // when each is free
	from, to := q.For.Seconds()/3, q.For.Seconds()/3+q.Outage.Seconds()
	busy, end := 0.0, 0.0
	caught := math.Inf(1)
	for i := 0; i < len(kept); {
		w := 0
		for j := range workers {
			if workers[j] < workers[w] {
				w = j
			}
		}
		start := max(workers[w], kept[i])
		if q.Outage > 0 && start >= from && start < to {
			start = to
		}
		n := i
		for n < len(kept) && n-i < q.Batch && kept[n] <= start {
			n++
		}
		waiting := n
		for waiting < len(kept) && kept[waiting] <= start {
			waiting++
		}
		r.Most = max(r.Most, waiting-i)
		if start >= to && waiting == n && math.IsInf(caught, 1) {
			caught = start
		}
		took := q.Process.Seconds() + float64(n-i)*q.ProcessEvent.Seconds()
		workers[w], busy, end = start+took, busy+took, max(end, start+took)
		for ; i < n; i++ {
			done[i] = workers[w]
			r.area += done[i] - kept[i]
		}
	}
	r.ProcessBusy = busy / float64(q.Workers) / max(end, q.For.Seconds())
	r.Recovered = -1
	if q.Outage > 0 && caught < q.For.Seconds() {
		r.Recovered = time.Duration((caught - to) * float64(time.Second))
	}
	return done
}

// waits gives the percentiles of how long it took from one moment to another.
func waits(from, to []float64) Waits {
	all := make([]time.Duration, len(from))
	for i := range from {
		all[i] = time.Duration((to[i] - from[i]) * float64(time.Second))
	}
	return Waits{percentile(all, 0.5), percentile(all, 0.99), percentile(all, 1)}
}

// QueueingTable simulates several numbers of shards and prints what became of
// the fullest of each: as it goes, and with an outage.
func QueueingTable(out io.Writer, q Queueing, shards []int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "shards\tevents/s at the fullest\tof its commits\tof its processing\tanswered p50\tp99\tprocessed p50\tp99\toutage: largest backlog\tworked off after\t")
	for _, n := range shards {
		q.Shards = n
		calm := q
		calm.Outage = 0
		a, err := Simulate(calm)
		if err != nil {
			return err
		}
		b, err := Simulate(q)
		if err != nil {
			return err
		}
		after := "not within " + q.For.String()
		if b.Recovered >= 0 {
			after = b.Recovered.Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(w, "%d\t%.0f\t%.0f %%\t%.0f %%\t%s\t%s\t%s\t%s\t%d\t%s\t\n", n, a.Rate, 100*a.CommitLoad, 100*a.ProcessLoad,
			short(a.Answer.P50), short(a.Answer.P99), short(a.Done.P50), short(a.Done.P99), b.Most, after)
	}
	return w.Flush()
}
