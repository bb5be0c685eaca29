package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"testing"
	"time"
)

func openTest(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func eventOf(name string) []NewEvent {
	return []NewEvent{{Dedupe: sha256.Sum256([]byte(name)), Type: "order", Body: []byte(name)}}
}

// stored waits until n rows can be read.
func stored(t *testing.T, s *Store, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(time.Millisecond); ; {
		var have int64
		rows, err := s.query(ctx, "select count(*) from inbox")
		if err == nil {
			err = scanOne(rows, &have)
		}
		if err != nil {
			t.Fatalf("%d rows, want %d: %v", have, n, err)
		}
		if have == n {
			return
		}
		<-tick.C
	}
}

func TestAppendAnswersAfterTheDisk(t *testing.T) {
	t.Parallel()
	s := openTest(t, t.TempDir())
	begun, release := make(chan struct{}), make(chan struct{})
	s.writer.log.bring = func(f *os.File) error {
		begun <- struct{}{}
		<-release
		return flushFile(f)
	}
	answered := make(chan error, 2)
	send := func(name string) {
		_, err := s.Append("hook", 1, eventOf(name))
		answered <- err
	}
	go send("first")
	<-begun
	go send("second")
	// The second group is written while the disk takes the first, and neither is
	// answered.
	stored(t, s, 2)
	if len(answered) != 0 {
		t.Fatal("a request was answered before its events were durable")
	}
	release <- struct{}{}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	<-begun
	if len(answered) != 0 {
		t.Fatal("the second request was answered by the flush of the first")
	}
	release <- struct{}{}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestDiskThatFailsTakesNothingMore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	if _, err := s.Append("hook", 1, eventOf("kept")); err != nil {
		t.Fatal(err)
	}
	failures := 1
	s.writer.log.bring = func(f *os.File) error {
		if failures > 0 {
			failures--
			return errors.New("input/output error")
		}
		return flushFile(f)
	}
	for range 2 { // the disk answers well the second time; what it dropped is unknown
		if _, err := s.Append("hook", 1, eventOf("lost")); !errors.Is(err, ErrAway) {
			t.Fatalf("error %v, want ErrAway", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, dir)
	if got, err := again.Append("hook", 1, eventOf("kept")); err != nil || got.Duplicates != 1 {
		t.Errorf("after a restart: %+v, %v; want the duplicate of what was kept", got, err)
	}
	if got, err := again.Append("hook", 1, eventOf("new")); err != nil || got.New != 1 {
		t.Errorf("after a restart: %+v, %v; want it taken", got, err)
	}
}

func TestDedupeKnowsWhatOtherProcessesLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	early := openTest(t, dir) // open, and nothing taken yet
	other := openTest(t, dir)
	first, err := other.Append("hook", 1, eventOf("order 1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := early.Append("hook", 1, eventOf("order 1")); err != nil || got.ID != first.ID || got.Duplicates != 1 {
		t.Errorf("handed over: %+v, %v; want a duplicate of %d", got, err, first.ID)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := early.Append("hook", 1, eventOf("order 1"))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != first.ID || got.Duplicates != 1 {
		t.Errorf("got %+v, want a duplicate of %d", got, first.ID)
	}
}

func TestFilterIsFilledFromTheTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	first, err := s.Append("hook", 1, eventOf("order 1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.in(t.Context(), derived, func(tx *Tx) error { return tx.writeHashes(t.Context(), &s.recent) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	if _, err := s.Append("hook", 1, eventOf("order 2")); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for complete := false; !complete; <-tick.C {
		s.recent.mu.Lock()
		complete = s.recent.filter.complete
		s.recent.mu.Unlock()
	}
	for name, duplicates := range map[string]int{"order 1": 1, "order 2": 1, "order 3": 0} {
		got, err := s.Append("hook", 1, eventOf(name))
		if err != nil || got.Duplicates != duplicates {
			t.Errorf("%s: %+v, %v; want %d duplicates", name, got, err, duplicates)
		}
		if name == "order 1" && got.ID != first.ID {
			t.Errorf("order 1 has id %d, want the original's %d", got.ID, first.ID)
		}
	}
}
