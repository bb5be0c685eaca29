package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTheOtherClockCounts(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for name, c := range map[string]struct {
		ahead, took time.Duration
		want        time.Duration // what is corrected
	}{
		"a minute ahead":          {ahead: time.Minute, want: time.Minute},
		"a minute behind":         {ahead: -time.Minute, want: -time.Minute},
		"in agreement":            {},
		"within what may be":      {ahead: 80 * time.Millisecond},
		"explained by a slow way": {ahead: time.Second, took: 3 * time.Second},
		"ahead over a slow way":   {ahead: time.Minute, took: 3 * time.Second, want: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := start.Add(c.ahead)
			k := &clock{own: func() time.Time { return own }}
			k.ask = func(context.Context) (time.Time, error) {
				own = own.Add(c.took)
				return start.Add(c.took / 2), nil
			}
			for range 3 { // asking again moves nothing
				at := own
				if err := k.set(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := time.Duration(k.ahead.Load()); got != c.want {
					t.Fatalf("%v are corrected, want %v", got, c.want)
				}
				own = at
			}
			if got := k.now(); !got.Equal(own.Add(-c.want)) {
				t.Errorf("it is %v, want %v", got, own.Add(-c.want))
			}
		})
	}
}

func TestAClockThatIsNotAnsweredStaysAsItIs(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	k := &clock{own: time.Now, ask: func(context.Context) (time.Time, error) { return time.Time{}, away }}
	k.ahead.Store(int64(time.Minute))
	if err := k.set(t.Context()); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
	if got := time.Duration(k.ahead.Load()); got != time.Minute {
		t.Errorf("%v are corrected, want a minute", got)
	}
}
