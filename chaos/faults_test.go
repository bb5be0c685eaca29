//go:build !race

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fault is one thing that goes wrong: when, what, to whom, and for how long. A
// campaign's faults follow from its seed alone.
type fault struct {
	at    time.Duration
	kind  string
	whom  int // which replica or vendor; what there is one of has no number
	lasts time.Duration
}

// kinds of faults of each set-up.
func kindsOf(postgres bool) []string {
	kinds := []string{"kill", "kill", "freeze", "vendor down", "vendor slow", "vendor silent", "vendor nonsense"}
	if !postgres {
		return append(kinds, "disk full", "disk full")
	}
	return append(kinds, "kill", "database cut", "database held", "database slow", "redis cut", "redis held", "redis slow",
		"redis wiped", "redis restarted", "postgres restarted")
}

// planFaults draws the faults of a campaign: each kind comes once before any
// comes again.
func planFaults(r *rand.Rand, postgres bool, d campaign) []fault {
	var all []fault
	var bag []string
	for at := d.every; at < d.lasts; at += d.every/2 + time.Duration(r.Int64N(int64(d.every))) {
		if len(bag) == 0 {
			bag = kindsOf(postgres)
			r.Shuffle(len(bag), func(i, j int) { bag[i], bag[j] = bag[j], bag[i] })
		}
		f := fault{at: at, kind: bag[0], whom: r.IntN(60), lasts: d.least + time.Duration(r.Int64N(int64(d.most-d.least)))}
		if f.kind == "freeze" {
			f.lasts = d.freeze
		}
		all, bag = append(all, f), bag[1:]
	}
	return all
}

// field is what faults happen to.
type field struct {
	t        *testing.T
	replicas []*replica
	vendors  *vendors
	services *services
	redis    *ownRedis // nil without one
	disk     *disk     // nil where it cannot be made full
	wg       sync.WaitGroup
	done     map[string]int
}

// happen lets every fault happen at its time, and returns when the last one is
// over.
func (f *field) happen(all []fault, began time.Time) {
	f.done = map[string]int{}
	for _, one := range all {
		if wait := time.Until(began.Add(one.at)); wait > 0 {
			pause(wait)
		}
		whom, end := f.begin(one)
		if whom == "" {
			continue // it cannot be done here
		}
		f.done[one.kind]++
		f.t.Logf("%6.1fs %s: %s, %.1fs", time.Since(began).Seconds(), one.kind, whom, one.lasts.Seconds())
		if end != nil {
			f.wg.Go(func() {
				pause(one.lasts)
				end()
			})
		}
	}
	f.wg.Wait()
}

// begin lets a fault happen; it gives to whom, and what ends it.
func (f *field) begin(one fault) (whom string, end func()) {
	r := f.replicas[one.whom%len(f.replicas)]
	server := f.vendors.servers[one.whom%len(f.vendors.servers)]
	switch one.kind {
	case "kill":
		r.kill(one.lasts)
		return r.name, nil
	case "freeze":
		r.freeze()
		return r.name, r.thaw
	case "database cut":
		r.db.cut()
		return r.name, nil
	case "redis cut":
		r.redis.cut()
		return r.name, nil
	case "database held":
		r.db.hold()
		return r.name, r.db.release
	case "redis held":
		r.redis.hold()
		return r.name, r.redis.release
	case "database slow":
		r.db.slow(one.lasts / 50)
		return r.name, func() { r.db.slow(0) }
	case "redis slow":
		r.redis.slow(one.lasts / 50)
		return r.name, func() { r.redis.slow(0) }
	case "redis wiped":
		f.redis.flush()
		return "redis", nil
	case "redis restarted":
		f.redis.stop()
		return "redis", f.redis.start
	case "postgres restarted":
		f.services.restart()
		return "postgres", nil
	case "disk full":
		if f.disk == nil {
			return "", nil
		}
		f.disk.fill()
		return "the data folder", f.disk.free
	case "vendor down":
		server.Fail(http.StatusServiceUnavailable, -1)
	case "vendor slow":
		server.Slow(one.lasts / 10)
	case "vendor silent":
		server.Silent(true)
	case "vendor nonsense":
		server.Fail(http.StatusBadGateway, -1) // with a text where its format is due
	}
	return server.Label(), server.Heal
}

// ownRedis is a Redis that can be stopped and started at its address.
type ownRedis struct {
	t    *testing.T
	path string
	port string
	dir  string
	mu   sync.Mutex
	cmd  *exec.Cmd // nil while it is stopped
}

func (o *ownRedis) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cmd != nil {
		return
	}
	cmd := exec.Command(o.path, "--bind", "127.0.0.1", "--port", o.port, "--dir", o.dir, "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		o.t.Error(err)
		return
	}
	o.cmd = cmd
}

func (o *ownRedis) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cmd == nil {
		return
	}
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait() // it ends by our signal
	o.cmd = nil
}

// flush wipes it, with its own program's client.
func (o *ownRedis) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cmd == nil {
		return // it is stopped, which wipes it too
	}
	if out, err := exec.Command(filepath.Join(filepath.Dir(o.path), "redis-cli"), "-p", o.port, "flushall").CombinedOutput(); err != nil {
		o.t.Logf("redis-cli: %v: %s", err, out)
	}
}

// disk is a file system of its own, which can be made full.
type disk struct {
	t      *testing.T
	folder string
	mu     sync.Mutex
	full   int
}

// newDisk mounts a file system in memory; nil where this user may not.
func newDisk(t *testing.T, size string) *disk {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "stagebridge-chaos", folder).CombinedOutput(); err != nil {
		t.Logf("left out: the full disk, since no file system can be mounted here: %v: %s", err, out)
		return nil
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return &disk{t: t, folder: folder}
}

func (d *disk) ballast() string { return filepath.Join(d.folder, "ballast") }

// fill leaves no byte free until every fill has been freed.
func (d *disk) fill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full++
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Error(err)
		return
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

func (d *disk) free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full--; d.full > 0 {
		return
	}
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Error(err)
	}
}

// left gives how many bytes are free.
func (d *disk) left() uint64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.folder, &s); err != nil {
		d.t.Fatal(err)
	}
	return s.Bavail * uint64(s.Bsize)
}

// TestAFullDiskIsFull, since the campaign rests on it.
func TestAFullDiskIsFull(t *testing.T) {
	t.Parallel()
	d := newDisk(t, "4m")
	if d == nil {
		t.Skip("skipped: no file system can be mounted here")
	}
	before := d.left()
	d.fill()
	d.fill()
	d.free()
	if left := d.left(); left != 0 {
		t.Errorf("%d bytes are left of %d", left, before)
	}
	d.free()
	if left := d.left(); left != before {
		t.Errorf("%d bytes are free again of %d", left, before)
	}
}

// TestASeedGivesTheSameFaults and every kind of them.
func TestASeedGivesTheSameFaults(t *testing.T) {
	t.Parallel()
	for _, postgres := range []bool{false, true} {
		draw := func(seed uint64) []fault {
			return planFaults(rand.New(rand.NewPCG(seed, 17)), postgres, campaignSize(0))
		}
		one, again, other := draw(1), draw(1), draw(2)
		if fmt.Sprint(one) != fmt.Sprint(again) || fmt.Sprint(one) == fmt.Sprint(other) {
			t.Errorf("faults of a seed are not its own:\n%v\n%v\n%v", one, again, other)
		}
		seen := map[string]bool{}
		for _, f := range one {
			seen[f.kind] = true
		}
		for _, kind := range kindsOf(postgres) {
			if !seen[kind] {
				t.Errorf("the short campaign, PostgreSQL %t, leaves out %q", postgres, kind)
			}
		}
	}
}
