package connectors

import (
	"errors"
	"slices"
	"sync"
)

// maxServerErrors is how many 5xx answers a Batch takes before it leaves the
// rest for later: one may be about a single person, several are an outage.
const maxServerErrors = 3

// Task is one update on its way, for a destination that brings people one by
// one. It holds what the vendor has to be told and what became of it.
type Task struct {
	Update *Update
	result Result
	done   bool
}

// Done reports whether the task has its result.
func (t *Task) Done() bool { return t.done }

// Result is what became of it; the zero Result until it is Done.
func (t *Task) Result() Result { return t.result }

// End sets the outcome; the first one stays.
func (t *Task) End(r Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// task is what a Batch needs of a vendor's own type, which embeds Task.
type task interface {
	Done() bool
	Result() Result
	End(Result)
}

// Batch is the work of one Push that takes a request or more for each person:
// several people at once, each with a result of its own, and an early end once
// the vendor is seen to be away. T is a pointer to a vendor's type that embeds
// Task. It is safe for concurrent use between NewBatch and Results.
type Batch[T task] struct {
	// Tasks in the order of the updates.
	Tasks       []T
	concurrency int

	mu      sync.Mutex
	away    *PushError // why the rest is not attempted
	errors5 int
	arrived bool
}

// NewBatch makes a batch that has up to so many requests under way.
func NewBatch[T task](concurrency int, tasks []T) *Batch[T] {
	return &Batch[T]{Tasks: tasks, concurrency: max(concurrency, 1)}
}

// Open lists the tasks that have no result yet.
func (b *Batch[T]) Open() []T {
	return slices.DeleteFunc(slices.Clone(b.Tasks), func(t T) bool { return t.Done() })
}

// Each runs work for every task, several at once, and ends those that are not
// attempted any more.
func (b *Batch[T]) Each(tasks []T, work func(T)) {
	queue := make(chan T)
	var workers sync.WaitGroup
	for range min(b.concurrency, len(tasks)) {
		workers.Go(func() {
			for t := range queue {
				if away := b.Stopped(); away != nil {
					t.End(NotAttempted(away))
					continue
				}
				work(t)
			}
		})
	}
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	workers.Wait()
}

// NotAttempted is the outcome for those behind a failure of the whole.
func NotAttempted(away *PushError) Result {
	return Result{Outcome: Retry, Reason: ReasonNotDone, Message: "the batch ended early: " + string(away.Reason), Delay: away.RetryAfter}
}

// Stopped gives why the rest is not attempted; nil goes on.
func (b *Batch[T]) Stopped() *PushError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.away
}

// Fail ends a task with an error, and decides whether it was about the vendor
// as a whole.
func (b *Batch[T]) Fail(t T, err error) {
	e := AsPushError(err)
	t.End(PersonResult(e))
	b.Note(e)
}

// PersonResult turns a failure into one person's outcome. Nobody is marked as
// refused because a credential has expired, and whom the vendor's consent state
// forbids is left alone.
func PersonResult(e *PushError) Result {
	r := e.Result()
	switch e.Reason {
	case ReasonAuth:
		r.Outcome = Retry
	case ReasonOptedOut:
		r.Outcome = Skipped
	}
	return r
}

// Note keeps an eye on failures that concern everybody.
func (b *Batch[T]) Note(e *PushError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e.Reason {
	case ReasonTimeout, ReasonConnection, ReasonBlocked, ReasonRedirect, ReasonRateLimit, ReasonAuth, ReasonForbidden:
	case ReasonServer:
		b.errors5++
		if b.errors5 < maxServerErrors {
			return
		}
	default:
		return
	}
	if b.away == nil {
		b.away = e
	}
}

// Arrival notes that something was written.
func (b *Batch[T]) Arrival() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived = true
}

// Refused gives the error of the whole Push where nothing arrived and the
// failure is about the connection, not about people. A timeout or 5xx is told
// per person, since the request may have been carried out.
func (b *Batch[T]) Refused() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away == nil || b.arrived || b.away.Reason == ReasonTimeout || b.away.Reason == ReasonServer {
		return nil
	}
	for _, t := range b.Tasks {
		// Somebody's own answer must not be lost.
		if t.Done() && t.Result().Reason != b.away.Reason && t.Result().Reason != ReasonNotDone {
			return nil
		}
	}
	return b.away
}

// Results gives what finish makes of each task, in the order of the updates.
func (b *Batch[T]) Results(finish func(T) Result) []Result {
	all := make([]Result, len(b.Tasks))
	for i, t := range b.Tasks {
		all[i] = finish(t)
	}
	return all
}

// ReasonOf gives the reason of an error of the Client, or of a call over it;
// ReasonNone for nil.
func ReasonOf(err error) Reason {
	if err == nil {
		return ReasonNone
	}
	return AsPushError(err).Reason
}

// AsPushError gives the *PushError in err, or makes one of an error that is
// none; nil for nil.
func AsPushError(err error) *PushError {
	if err == nil {
		return nil
	}
	var e *PushError
	if errors.As(err, &e) {
		return e
	}
	return &PushError{Reason: ReasonConnection, Retryable: true, Message: Words(err.Error()), Err: err}
}
