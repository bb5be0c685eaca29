//go:build !race

package chaos_test

import (
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// campaign is the size of a fault campaign: a steady load for a while, and
// meanwhile a fault every so often.
type campaign struct {
	lasts, every time.Duration
	least, most  time.Duration // how long a fault lasts
	freeze       time.Duration // how long a process stands still
	rate, people int           // events a second, and over how many people
	clients      int
	patience     time.Duration
	timeout      string // of a request to a vendor
	disk         string
	skew         int // seconds that the clock of one replica is ahead
}

// campaignSize gives the short form, or with a length the whole one.
func campaignSize(long time.Duration) campaign {
	if long > 0 {
		return campaign{lasts: long, every: 4 * time.Second, least: time.Second, most: 8 * time.Second, freeze: 10 * time.Second,
			rate: 60, people: 6_000, clients: 64, patience: 10 * time.Minute, timeout: "1500ms", disk: "1g", skew: 60}
	}
	return campaign{lasts: 9 * time.Second, every: 400 * time.Millisecond, least: 200 * time.Millisecond, most: 1200 * time.Millisecond, freeze: 1500 * time.Millisecond,
		rate: 150, people: 300, clients: 16, patience: 3 * time.Minute, timeout: "1s", disk: "96m"}
}

// TestFaultCampaign keeps a mixed load on two web and two worker replicas over
// one PostgreSQL and one Redis, and on one process over SQLite, while something
// goes wrong every few seconds, and then wants everything to be as if nothing
// had. STAGEBRIDGE_CHAOS_FOR=30m makes it long.
func TestFaultCampaign(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	if runtime.GOOS != "linux" {
		t.Skip("skipped: it looks at processes through /proc")
	}
	var long time.Duration
	if text := os.Getenv("STAGEBRIDGE_CHAOS_FOR"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	n, d, binary := seed(t), campaignSize(long), build(t)
	t.Run("sqlite", func(t *testing.T) { runCampaign(t, d, n, alone(t, d, binary)) })
	t.Run("postgres", func(t *testing.T) { runCampaign(t, d, n, cluster(t, d, binary)) })
}

// alone is one process on SQLite.
func alone(t *testing.T, d campaign, binary string) *field {
	v := newVendors(t)
	f := &field{t: t, vendors: v, services: embedded(t), disk: newDisk(t, d.disk)}
	data := t.TempDir()
	if f.disk != nil {
		data = filepath.Join(f.disk.folder, "data")
	}
	addr := freeAddr(t)
	f.replicas = []*replica{newReplica(t, d, "server", binary, v, "http://"+addr, data, addr)}
	return f
}

// cluster is two web and two worker replicas, each with connections of its own
// to the database and to Redis that can be broken.
func cluster(t *testing.T, d campaign, binary string) *field {
	bin := postgresPrograms()
	redis, err := exec.LookPath("redis-server")
	if bin == "" || err != nil {
		external(t) // which says what is missing, or fails where it must not be
		t.Skip("skipped without a service: the programs of PostgreSQL and Redis")
	}
	v := newVendors(t)
	f := &field{t: t, vendors: v, services: &services{}}
	f.services.ownPostgres(t, bin)
	pg := strings.TrimSuffix(strings.TrimPrefix(f.services.postgres, "postgres://stagebridge@"), "/postgres?sslmode=disable")
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	f.redis = &ownRedis{t: t, path: redis, port: port, dir: t.TempDir()}
	f.redis.start()
	t.Cleanup(f.redis.stop)
	webs := []string{freeAddr(t), freeAddr(t)}
	front := newProxy(t, webs...)
	other := binary
	if d.skew != 0 {
		if other = skewed(t, d.skew); other == "" {
			other = binary
		}
	}
	for _, one := range []struct{ name, binary, role, addr string }{
		{"web-1", binary, "web", webs[0]}, {"web-2", binary, "web", webs[1]}, {"worker-1", binary, "worker", ""}, {"worker-2", other, "worker", ""},
	} {
		r := newReplica(t, d, one.name, one.binary, v, "http://"+front.addr(), t.TempDir(), one.addr)
		r.args = append(r.args, "-role", one.role)
		r.db, r.redis = newProxy(t, pg), newProxy(t, addr)
		r.env = append(r.env, "STAGEBRIDGE_DATABASE_URL=postgres://stagebridge@"+r.db.addr()+"/postgres?sslmode=disable",
			"STAGEBRIDGE_REDIS_URL=redis://"+r.redis.addr()+"/0")
		f.replicas = append(f.replicas, r)
	}
	return f
}

// newReplica is a process not yet started; public is where vendors reach it.
func newReplica(t *testing.T, d campaign, name, binary string, v *vendors, public, data, addr string) *replica {
	t.Helper()
	health := freeAddr(t)
	r := &replica{t: t, name: name, binary: binary, args: []string{"serve"}, log: filepath.Join(t.TempDir(), name+".log"), health: "http://" + health}
	r.env = append(r.env, "STAGEBRIDGE_METRICS_ADDR="+health)
	if addr != "" {
		r.env = append(r.env, "STAGEBRIDGE_ADDR="+addr)
	}
	r.env = append(r.env, "PATH="+os.Getenv("PATH"), "HOME="+data, "STAGEBRIDGE_PUBLIC_URL="+public, "STAGEBRIDGE_DATA_DIR="+data,
		"STAGEBRIDGE_WORKSPACE="+v.workspace(t), "STAGEBRIDGE_SECRET_KEY=a-key-for-the-drill-0123456789abcdef", "STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS=true",
		"STAGEBRIDGE_RATE_LIMIT=0", "STAGEBRIDGE_VENDOR_TIMEOUT="+d.timeout, "STAGEBRIDGE_LOG_LEVEL=warn", "STAGEBRIDGE_ADMIN_PASSWORD=a-password-for-the-drill")
	t.Cleanup(func() {
		r.mu.Lock()
		up := r.up
		r.mu.Unlock()
		if up {
			r.stop(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", r.name, r.tail())
		}
	})
	return r
}

func (f *field) data() string {
	for _, e := range f.replicas[0].env {
		if dir, ok := strings.CutPrefix(e, "STAGEBRIDGE_DATA_DIR="); ok {
			return dir
		}
	}
	return ""
}

// front is where clients send to.
func (f *field) front() string {
	for _, e := range f.replicas[0].env {
		if url, ok := strings.CutPrefix(e, "STAGEBRIDGE_PUBLIC_URL="); ok {
			return url
		}
	}
	return ""
}

func runCampaign(t *testing.T, d campaign, seed uint64, f *field) {
	events := d.rate * int(d.lasts.Seconds())
	story := tell(rand.New(rand.NewPCG(seed, 7)), time.Now().Truncate(time.Millisecond), events, d.people)
	for _, r := range f.replicas {
		r.run()
	}
	for _, r := range f.replicas {
		r.ready()
	}
	f.vendors.listen(f.front())

	began := time.Now()
	watch := f.watch()
	c := newClients(t, f.front(), story, d.clients)
	c.every = time.Second / time.Duration(d.rate)
	done := c.send(rand.New(rand.NewPCG(seed, 11)), d.lasts+d.patience)
	f.happen(planFaults(rand.New(rand.NewPCG(seed, 17)), f.services.postgres != "", d), began)
	<-done
	sent := time.Since(began)
	c.acknowledged()

	p := &program{t: t, data: f.data()} // whom the checks ask for the data folder
	db := open(t, f.services, p)
	within(t, d.patience, "nothing is pending or due any more", func() (bool, string) { return db.atRest(f.vendors) })
	rested := time.Since(began)
	memory := watch()
	f.checkConnections(db)
	unasked, starts := 0, 0
	for _, r := range f.replicas {
		unasked, starts = unasked+r.unasked, starts+r.starts
	}
	t.Logf("%d events; faults %v; %d starts, %d of them after ends that nobody asked for; %d answers that were not 2xx (%v); sent after %v, at rest after %v",
		events, f.done, starts, unasked, c.refusedCount(), c.refusals(), sent.Round(time.Millisecond), rested.Round(time.Millisecond))
	f.checkMemory(memory, d)
	f.checkLeaks()
	for _, r := range f.replicas {
		if code := r.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("%s ends with code %d when it is told to", r.name, code)
		}
	}
	db.checkInbox(t, c)
	people := everybody(t, f.services, p)
	undisturbed(t, story, people)
	f.vendors.check(t, people)
	db.checkCounters(t, people, events)
}

// watch looks at the replicas each second until the function it gives is
// called, which answers the most each held in each half.
func (f *field) watch() func() map[string][]usage {
	all := map[string][]usage{}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				for _, r := range f.replicas {
					all[r.name] = append(all[r.name], r.usage())
				}
			}
		}
	})
	return func() map[string][]usage {
		close(over)
		wg.Wait()
		return all
	}
}

// checkMemory wants no replica to hold much more in the second half than it did
// in the first. A short campaign is all warm-up: it is bounded only.
func (f *field) checkMemory(all map[string][]usage, d campaign) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		half := len(all[name]) / 2
		first, second := most(all[name][:half]), most(all[name][half:])
		f.t.Logf("%s held at most %d MB and %d files in the first half, %d MB and %d files in the second", name, first.rss>>20, first.files, second.rss>>20, second.files)
		limit := first.rss*13/10 + 32<<20
		if d.lasts < time.Minute {
			limit = 600 << 20
		}
		if second.rss > limit {
			f.t.Errorf("%s grew from %d MB to %d MB", name, first.rss>>20, second.rss>>20)
		}
	}
}

func most(all []usage) usage {
	var m usage
	for _, u := range all {
		m.rss, m.files = max(m.rss, u.rss), max(m.files, u.files)
	}
	return m
}

// checkConnections wants no more connections at the database than the replicas
// may hold.
func (f *field) checkConnections(db database) {
	if f.services.postgres == "" {
		return
	}
	within(f.t, time.Minute, "no transaction stays open", func() (bool, string) {
		n, err := db.number("select count(*) from pg_stat_activity where application_name = 'stagebridge' and state like 'idle in transaction%' and state_change < now() - interval '5 seconds'")
		return err == nil && n == 0, ""
	})
	n, err := db.number("select count(*) from pg_stat_activity where application_name = 'stagebridge'")
	if most := int64(16 * len(f.replicas)); err != nil || n > most {
		f.t.Errorf("%d connections at PostgreSQL, want at most %d (%v)", n, most, err)
	}
	f.t.Logf("%d connections at PostgreSQL", n)
}

// checkLeaks compares the goroutines of what went through the campaign with
// those of a process that has just started and taken nothing yet. Connections of
// clients and to the database have some each, so there may be more, but not
// many times as many.
func (f *field) checkLeaks() {
	for _, r := range f.replicas {
		after := r.goroutines()
		if code := r.stop(syscall.SIGTERM); code != 0 {
			f.t.Errorf("%s ends with code %d when it is told to:\n%s", r.name, code, r.tail())
		}
		r.checkLog()
		r.run()
		r.ready()
		fresh := r.goroutines()
		f.t.Logf("%s has %d goroutines at the end, %d after a start", r.name, after, fresh)
		if after > fresh+200 {
			f.t.Errorf("%s has %d goroutines at the end, %d after a start", r.name, after, fresh)
		}
	}
}
