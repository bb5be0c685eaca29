package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// childFolder names the folder in which this program, run again as a process of
// its own, keeps events; childOwns has it own the folder first.
const (
	childFolder = "STAGEBRIDGE_TEST_FOLDER"
	childOwns   = "STAGEBRIDGE_TEST_OWNS"
)

// TestChildKeepsEvents is the other process of the tests below: it prints the
// number of each event once that is promised, until it is killed.
func TestChildKeepsEvents(t *testing.T) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		t.Skip("run by other tests")
	}
	s := openTest(t, dir)
	if os.Getenv(childOwns) != "" {
		s.ServeFolder()
		for !s.recent.owned.Load() {
			if !s.pause(handPoll) {
				return
			}
		}
	}
	for n := 0; ; n++ {
		if _, err := s.Append("child", 1, eventOf(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("kept %d\n", n)
	}
}

// child starts the other process; its lines come out of the reader.
func child(t *testing.T, dir string, more ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestChildKeepsEvents$", "-test.count=1")
	c.Env = append(append(os.Environ(), childFolder+"="+dir), more...)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c, bufio.NewReader(out)
}

// promised reads lines of the child until n events are promised, or with n 0
// until its output ends, and gives the number of the last.
func promised(t *testing.T, r *bufio.Reader, n int) int {
	t.Helper()
	last := -1
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) && n == 0 {
			return last
		}
		if err != nil {
			t.Fatalf("the other process ended: %v", err)
		}
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), "kept "); ok {
			if last, err = strconv.Atoi(number); err != nil {
				t.Fatal(err)
			}
			if n != 0 && last+1 >= n {
				return last
			}
		}
	}
}

// inboxRows counts the raw events of a connection.
func inboxRows(t *testing.T, s *Store, connection string) (n int) {
	t.Helper()
	rows, err := s.query(t.Context(), "select count(*) from inbox where connection = ?", connection)
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAKilledProcessThatHandsOver has another process hand events over to this
// one, kills it, and sees that what it was promised is there, once.
func TestAKilledProcessThatHandsOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	if _, err := s.Append("mine", 1, eventOf("first")); err != nil {
		t.Fatal(err)
	}
	c, lines := child(t, dir)
	last := promised(t, lines, 10)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	last = max(last, promised(t, lines, 0))
	for n := range last + 2 { // the one behind the last may be there or not
		got, err := s.Append("child", 1, eventOf(strconv.Itoa(n)))
		if err != nil || n <= last && got.Duplicates != 1 {
			t.Fatalf("event %d of %d promised: %+v, %v; want a duplicate", n, last+1, got, err)
		}
	}
	if n := inboxRows(t, s, "child"); n < last+2 || n > last+3 {
		t.Errorf("%d events, want %d", n, last+2)
	}
}

// TestAKilledOwner kills the process that takes events while this one hands
// some over; this one goes on by itself.
func TestAKilledOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, lines := child(t, dir, childOwns+"=1")
	last := promised(t, lines, 1)
	s := openTest(t, dir)
	if there, err := s.Served(t.Context()); err != nil || !there {
		t.Fatalf("a server works on the folder: %v, %v", there, err)
	}
	const each, hands = 12, 3
	var wg sync.WaitGroup
	for h := range hands {
		wg.Go(func() {
			for n := range each {
				if h == 0 && n == each/2 {
					_ = c.Process.Kill()
				}
				if got, err := s.Append("mine", 1, eventOf(fmt.Sprint(h, n))); err != nil || got.New+got.Duplicates != 1 {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	last = max(last, promised(t, lines, 0))
	if n := inboxRows(t, s, "mine"); n != each*hands {
		t.Errorf("%d events, want %d", n, each*hands)
	}
	for n := range last + 1 {
		if got, err := s.Append("child", 1, eventOf(strconv.Itoa(n))); err != nil || got.Duplicates != 1 {
			t.Fatalf("event %d of %d that the other was promised: %+v, %v", n, last+1, got, err)
		}
	}
	if there, err := s.Served(t.Context()); err != nil || there {
		t.Errorf("nobody works on the folder any more: %v, %v", there, err)
	}
	if left := handedRows(t, s); left != 0 {
		t.Errorf("%d rows are left behind", left)
	}
}

func handedRows(t *testing.T, s *Store) (n int) {
	t.Helper()
	rows, err := s.query(t.Context(), "select count(*) from handed")
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPagesAreHandedOver has a page of a polled source handed over: its cursor
// moves with its events, and one that is behind is refused.
func TestPagesAreHandedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	owner := openTest(t, dir)
	if _, err := owner.Append("mine", 1, eventOf("first")); err != nil {
		t.Fatal(err)
	}
	other := openTest(t, dir)
	got, err := other.AppendFetched("polled", 1, eventOf("page one"), Cursor{Next: "a"})
	if err != nil || got.New != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := other.AppendFetched("polled", 1, eventOf("page two"), Cursor{Was: "b", Next: "c"}); !errors.Is(err, ErrRetry) {
		t.Errorf("a page behind another cursor: %v, want ErrRetry", err)
	}
	if at, err := owner.Cursor(t.Context(), "polled"); err != nil || at != "a" {
		t.Errorf("cursor %q, %v", at, err)
	}
	if n := inboxRows(t, owner, "polled"); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// TestAnswersNobodyFetchedGo sees that what a killed process did not fetch is
// emptied at once and goes when the folder has its next owner.
func TestAnswersNobodyFetchedGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	s, err := Open(t.Context(), Options{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.hand(t.Context(), []*appending{{connection: "hook", events: eventOf("orphan"), received: 1}}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.serveOnce(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	var size int
	rows, err := s.query(t.Context(), "select max(length(payload)) from handed where answered_at > 0")
	if err = errors.Join(err, scanOne(rows, &size)); err != nil || size != 0 || inboxRows(t, s, "hook") != 1 {
		t.Errorf("%d bytes are kept, %v", size, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if s, err = Open(t.Context(), Options{Dir: dir, Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Append("hook", 1, eventOf("next")); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for handedRows(t, s) > 0 && time.Now().Before(deadline) && s.pause(handPoll) {
	}
	if n := handedRows(t, s); n != 0 {
		t.Errorf("%d rows stay", n)
	}
}
