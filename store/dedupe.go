package store

import (
	"context"
	"database/sql"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// On SQLite the index of dedupe hashes would be what a commit costs most: each
// hash lands on a page of its own, so a group commit of thirty events would
// write thirty pages to the log and wait for them. So the hashes of the newest
// events are kept in memory only and brought to their table many at a time,
// sorted, in a transaction that nobody waits for. They can be read again from
// the inbox, which is durable, so nothing is lost with the memory: remember.
// What is not in the table a filter knows in most cases without asking it.
// PostgreSQL, where several processes write, keeps an ordinary unique index.

// Sizes and times of the hashes in memory.
const (
	hashesFlush = 10_000           // brought to the table at once when so many wait
	hashesEvery = 2 * time.Second  // or after so long
	hashesMost  = 20 * hashesFlush // beyond it Append waits for the table
)

// recentHashes are the hashes of events that are in the inbox but not yet in
// the table of hashes.
type recentHashes struct {
	mu     sync.Mutex
	ids    map[[16]byte]int64
	filter hashFilter // of all hashes, in memory or in the table

	newer   chan struct{} // asks for a flush
	lock    folderLock    // held for as long as this process takes events
	serving folderLock    // held for as long as this process is a server
	owned   atomic.Bool   // lock is held
}

// openDedupe prepares for events; nothing is read before the first comes in.
func (s *Store) openDedupe(dir string) error {
	if s.d.postgres {
		return nil
	}
	q := &s.recent
	q.ids, q.newer = map[[16]byte]int64{}, make(chan struct{}, 1)
	if err := q.lock.open(dir, "ingest.lock"); err != nil {
		return err
	}
	if err := q.serving.open(dir, "serve.lock"); err != nil {
		return err
	}
	s.wg.Go(s.flushHashes)
	return nil
}

// remember reads the hashes that an earlier process left in memory.
func (q *recentHashes) remember(ctx context.Context, t *Tx) error {
	from, err := stateInt(ctx, t, "hashed")
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	rows, err := t.query(ctx, "select id, dedupe from inbox where id > ?", from)
	return each(rows, err, func(rows *sql.Rows) error {
		var id int64
		var hash []byte
		if err := rows.Scan(&id, &hash); err != nil {
			return err
		}
		q.keep([16]byte(hash), id)
		return nil
	})
}

// keep notes a hash in memory; mu is held.
func (q *recentHashes) keep(hash [16]byte, id int64) {
	q.ids[hash] = id
	q.filter.add(&hash)
}

// own makes this process the only one that takes events into this folder, as
// long as it lives: two would not see each other's newest hashes. The error is
// errOwned where another one does; its events are handed over then. The lock
// ends with the process, however that ends, and is never given back before:
// ids that this process has set aside would come behind those of the next one.
//
// What earlier ones left is read after the lock is held, since one may have
// taken events after this process started.
func (s *Store) own(ctx context.Context) error {
	q := &s.recent
	if q.owned.Load() {
		return nil
	}
	return s.in(ctx, ingest, func(t *Tx) error {
		if q.owned.Load() {
			return nil
		}
		mine, err := q.lock.take(ctx)
		if err != nil {
			return err
		}
		if !mine {
			return errOwned
		}
		if err := q.remember(ctx, t); err != nil {
			q.lock.release()
			return err
		}
		q.owned.Store(true)
		s.wg.Go(s.fillFilter)
		s.wg.Go(s.serveHanded)
		return nil
	})
}

// known gives the ids of those rows that are in the inbox already. The memory
// is looked at before the table, since hashes go from the one into the other.
func (q *recentHashes) known(ctx context.Context, t *Tx, r *groupRows) (map[[16]byte]int64, error) {
	var found map[[16]byte]int64
	note := func(hash [16]byte, id int64) {
		if found == nil {
			found = map[[16]byte]int64{}
		}
		found[hash] = id
	}
	var asked [][]byte
	q.mu.Lock()
	for _, hash := range r.dedupe {
		if id, ok := q.ids[[16]byte(hash)]; ok {
			note([16]byte(hash), id)
		} else if !q.filter.absent((*[16]byte)(hash)) {
			asked = append(asked, hash)
		}
	}
	full := len(q.ids) > hashesMost
	q.mu.Unlock()
	if full {
		if err := t.writeHashes(ctx, q); err != nil {
			return nil, err
		}
	}
	err := t.lookUp(ctx, asked, note)
	return found, err
}

// lookUp finds hashes in the table.
func (t *Tx) lookUp(ctx context.Context, hashes [][]byte, note func([16]byte, int64)) error {
	for len(hashes) > 0 {
		n := chunkOf(len(hashes))
		args := make([]any, n)
		for i := range args {
			args[i] = hashes[i]
		}
		hashes = hashes[n:]
		rows, err := t.query(ctx, "select hash, id from dedupes where hash in ("+placeholders(n)+")", args...)
		err = each(rows, err, func(rows *sql.Rows) error {
			var hash []byte
			var id int64
			err := rows.Scan(&hash, &id)
			note([16]byte(hash), id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// add remembers rows that are durable now.
func (q *recentHashes) add(r *groupRows, original map[[16]byte]int64) {
	if q.ids == nil {
		return
	}
	q.mu.Lock()
	for i, hash := range r.dedupe {
		if _, old := original[[16]byte(hash)]; !old {
			q.keep([16]byte(hash), r.ids[i])
		}
	}
	n := len(q.ids)
	q.mu.Unlock()
	if n >= hashesFlush {
		select {
		case q.newer <- struct{}{}:
		default:
		}
	}
}

// flushHashes brings hashes to their table until the store closes.
func (s *Store) flushHashes() {
	tick := time.NewTicker(hashesEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.closed:
			s.append.running.Wait() // what was promised is written under the lock
			s.recent.lock.close()
			s.recent.serving.close()
			return
		case <-s.recent.newer:
		case <-tick.C:
		}
		err := s.in(context.Background(), derived, func(t *Tx) error { return t.writeHashes(context.Background(), &s.recent) })
		if err != nil {
			s.log.Warn("dedupe hashes stay in memory", "error", err)
		}
	}
}

// writeHashes brings what is in memory to the table. Memory forgets it when
// the transaction is over, not before: a reader in between finds it twice,
// never not at all.
func (t *Tx) writeHashes(ctx context.Context, q *recentHashes) error {
	from, err := stateInt(ctx, t, "hashed")
	if err != nil {
		return err
	}
	last := from
	if err := t.one(ctx, "select coalesce(max(id), 0) from inbox where id > ?", []any{from}, &last); err != nil || last <= from {
		return err
	}
	if _, err := t.exec(ctx, `insert into dedupes (hash, id) select dedupe, id from inbox where id > ? and id <= ? order by dedupe
		on conflict (hash) do nothing`, from, last); err != nil {
		return err
	}
	if err := t.setState(ctx, "hashed", strconv.FormatInt(last, 10)); err != nil {
		return err
	}
	t.after = append(t.after, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		for hash, id := range q.ids {
			if id <= last {
				delete(q.ids, hash)
			}
		}
	})
	return nil
}
