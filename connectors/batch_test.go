package connectors

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type batchTask struct {
	Task
	name string
}

func tasks(n int) []*batchTask {
	all := make([]*batchTask, n)
	for i := range all {
		all[i] = &batchTask{name: fmt.Sprint(i)}
	}
	return all
}

func finished(t *batchTask) Result {
	t.End(Result{Outcome: OK, VendorID: t.name})
	return t.Result()
}

func TestBatchBringsEverybodyInOrder(t *testing.T) {
	t.Parallel()
	b := NewBatch(4, tasks(50))
	b.Tasks[7].End(Result{Outcome: Skipped})
	var busy, most, worked atomic.Int64
	b.Each(b.Open(), func(*batchTask) {
		n := busy.Add(1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		worked.Add(1)
		busy.Add(-1)
	})
	if worked.Load() != 49 || most.Load() > 4 || b.Refused() != nil {
		t.Errorf("worked on %d, %d at once, refused %v", worked.Load(), most.Load(), b.Refused())
	}
	for i, r := range b.Results(finished) {
		want := Result{Outcome: OK, VendorID: fmt.Sprint(i)}
		if i == 7 {
			want = Result{Outcome: Skipped}
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("result %d:\n%s", i, diff)
		}
	}
}

// TestBatchEndsEarly: what concerns everybody ends the batch, what concerns one
// does not, and a server's error only when it comes again.
func TestBatchEndsEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason    Reason
		attempted int
		refused   bool
		first     Outcome
	}{
		{ReasonConnection, 1, true, Retry}, {ReasonRateLimit, 1, true, Retry}, {ReasonAuth, 1, true, Retry}, {ReasonForbidden, 1, true, Permanent},
		{ReasonTimeout, 1, false, Retry}, {ReasonServer, 3, false, Retry}, {ReasonInvalid, 10, false, Permanent}, {ReasonOptedOut, 10, false, Skipped},
	} {
		t.Run(string(tt.reason), func(t *testing.T) {
			t.Parallel()
			b := NewBatch(1, tasks(10))
			attempted := 0
			failure := &PushError{Reason: tt.reason, RetryAfter: time.Minute, Retryable: tt.reason != ReasonForbidden && tt.reason != ReasonInvalid && tt.reason != ReasonAuth}
			b.Each(b.Open(), func(x *batchTask) { attempted++; b.Fail(x, failure) })
			results := b.Results(finished)
			if attempted != tt.attempted || (b.Refused() != nil) != tt.refused || results[0].Outcome != tt.first {
				t.Errorf("%d attempted, refused %v, first %+v", attempted, b.Refused(), results[0])
			}
			if last := results[9]; tt.attempted < 10 && (last.Reason != ReasonNotDone || last.Outcome != Retry || last.Delay != time.Minute) {
				t.Errorf("the last is %+v", last)
			}
		})
	}
}

// TestBatchKeepsWhatArrived: once somebody's write went through, or somebody has
// an answer of their own, the failure of the rest is no failure of the whole.
func TestBatchKeepsWhatArrived(t *testing.T) {
	t.Parallel()
	away := &PushError{Reason: ReasonConnection, Retryable: true}
	arrived := NewBatch(1, tasks(2))
	arrived.Arrival()
	arrived.Fail(arrived.Tasks[1], away)
	own := NewBatch(1, tasks(2))
	own.Tasks[0].End(Result{Outcome: Skipped, Reason: ReasonNoIdentity})
	own.Fail(own.Tasks[1], away)
	for name, b := range map[string]*Batch[*batchTask]{"arrived": arrived, "an answer of its own": own} {
		if err := b.Refused(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if e := AsPushError(errors.New("odd")); e.Reason != ReasonConnection || !e.Retryable || AsPushError(nil) != nil {
		t.Errorf("an error that is none of ours: %+v", e)
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	want := &State{Stage: "Customer", Segments: []string{"a", "b"}, Absent: []string{"c", "d"}, Traits: map[string]any{"n": int64(5), "s": "x", "gone": nil}}
	all := Difference{Stage: "Customer", Traits: want.Traits, Add: want.Segments, Remove: want.Absent}
	if diff := cmp.Diff(all, DifferenceOf(want, nil)); diff != "" {
		t.Errorf("nothing known:\n%s", diff)
	}
	known := &State{Stage: "Lead", Segments: []string{"b"}, Absent: []string{"c"}, Traits: map[string]any{"n": 5.0, "s": "y", "gone": ""}}
	if diff := cmp.Diff(Difference{Stage: "Customer", Traits: map[string]any{"s": "x"}, Add: []string{"a"}, Remove: []string{"d"}}, DifferenceOf(want, known)); diff != "" {
		t.Errorf("some known:\n%s", diff)
	}
	if d := DifferenceOf(want, want); !d.Empty() {
		t.Errorf("all known: %+v", d)
	}
}

func TestValueText(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		"": nil, "x\ufffd": "x\xff", "true": true, "9007199254740993": int64(9007199254740993), "0.1": 0.1, "123456789012": 123456789012.0,
		"a, 2": []any{"a", int64(2)}, `{"k":1}`: map[string]any{"k": 1},
	} {
		if got := ValueText(value); got != want {
			t.Errorf("%v: %q, want %q", value, got, want)
		}
	}
}

// TestReasonOf reads the reason through what wraps it.
func TestReasonOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want Reason
	}{
		"none":     {nil, ReasonNone},
		"refused":  {&PushError{Reason: ReasonConflict}, ReasonConflict},
		"wrapped":  {fmt.Errorf("acme: %w", &PushError{Reason: ReasonGone}), ReasonGone},
		"no other": {errors.New("reset"), ReasonConnection},
	} {
		if got := ReasonOf(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
