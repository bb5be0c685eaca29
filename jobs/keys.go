package jobs

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// keyNote holds a text sealed with the key in force. Its key is the one that
// every process seals with, whatever the order of its settings: so processes
// with the settings before and after a change of key run side by side.
const keyNote = "key_check"

const keyText = "the key is right"

// Bounds of a rotation: values in one transaction, and looks at all of them
// while others go on writing.
const (
	resealBatch  = 100
	resealRounds = 20
)

// Keys looks after what is stored encrypted: the credentials of connections,
// and notes that hold some. It is safe for concurrent use, also by several
// processes.
type Keys struct {
	Store *store.Store
	Vault *secret.Vault
	// Notes are beginnings of the names of further notes that hold the base64 of
	// bytes sealed for their name; those of this package need not be named.
	Notes []string
}

// KeyError says that something stored was sealed with a key that this process
// does not know. Nothing was changed.
type KeyError struct {
	// Names tells what it is, for example connection:newsletter; empty for the
	// whole installation.
	Names []string
	// Sealed is the id of the key that is missing; empty when it cannot be told.
	Sealed string
	// Known are the ids of the keys that there are.
	Known []string
}

// Error implements error.
func (e *KeyError) Error() string {
	what := "the stored credentials were"
	if len(e.Names) > 0 {
		what = strings.Join(e.Names[:min(len(e.Names), 5)], ", ") + " " + map[bool]string{true: "was", false: "were"}[len(e.Names) == 1]
		if len(e.Names) > 5 {
			what = fmt.Sprintf("%d stored credentials were", len(e.Names))
		}
	}
	return fmt.Sprintf("jobs: %s encrypted with the key %s, and this process knows %s; nothing was changed", what, e.Sealed, strings.Join(e.Known, ", "))
}

// Unwrap lets errors.Is find secret.ErrKey.
func (e *KeyError) Unwrap() error { return secret.ErrKey }

// sealedValue is one encrypted value as it is stored.
type sealedValue struct {
	store.Resealed
	raw   []byte // without the form in which it is stored
	about string
}

func (v *sealedValue) name() string {
	if v.Connection != "" {
		return "connection:" + v.Connection
	}
	return "note:" + v.Note
}

// Check makes the first key that of the installation, or refuses with a
// *KeyError before anything is written: the credentials were sealed with a key
// that is not there. Behind it the vault seals with the key in force.
func (k *Keys) Check(ctx context.Context) error {
	fresh, err := k.Vault.Seal([]byte(keyText), keyNote)
	if err != nil {
		return err
	}
	kept, err := k.Store.Setting(ctx, keyNote, base64.StdEncoding.EncodeToString(fresh))
	if err != nil {
		return err
	}
	sealed, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		return fmt.Errorf("jobs: key check: %w", err)
	}
	if _, err := k.Vault.Open(sealed, keyNote); err != nil {
		return &KeyError{Sealed: secret.SealedBy(sealed), Known: k.Vault.IDs()}
	}
	if err := k.Vault.Prefer(secret.SealedBy(sealed)); err != nil {
		return err
	}
	state, err := k.State(ctx)
	if err != nil {
		return err
	}
	return state.strange(k.Vault.IDs())
}

// KeyState tells which keys there are and what is sealed with them.
type KeyState struct {
	// Newest is the id of SECRET_KEY, Sealing of the key in force.
	Newest, Sealing string
	Known           []string
	// Values counts what is sealed with each key.
	Values map[string]int
	// Strange names what was sealed with a key that is not known, by its id.
	Strange map[string][]string
}

func (s *KeyState) strange(known []string) error {
	var all []error
	for id, names := range s.Strange {
		slices.Sort(names)
		all = append(all, &KeyError{Names: names, Sealed: id, Known: known})
	}
	return errors.Join(all...)
}

// State reads everything that is sealed.
func (k *Keys) State(ctx context.Context) (*KeyState, error) {
	values, err := k.values(ctx)
	if err != nil {
		return nil, err
	}
	s := &KeyState{Known: k.Vault.IDs(), Sealing: k.Vault.Sealing(), Values: map[string]int{}, Strange: map[string][]string{}}
	s.Newest = s.Known[0]
	for _, v := range values {
		id := secret.SealedBy(v.raw)
		s.Values[id]++
		if !slices.Contains(s.Known, id) {
			s.Strange[id] = append(s.Strange[id], v.name())
		}
	}
	return s, nil
}

// values lists what is stored encrypted.
func (k *Keys) values(ctx context.Context) ([]sealedValue, error) {
	rows, err := k.Store.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var all []sealedValue
	for _, row := range rows {
		if len(row.Secrets) > 0 {
			all = append(all, sealedValue{store.Resealed{Connection: row.ID, Was: row.Secrets}, row.Secrets, row.ID})
		}
	}
	for _, prefix := range append([]string{ErasureKeyNote, NoticesNote}, k.Notes...) {
		notes, err := k.Store.Notes(ctx, prefix)
		if err != nil {
			return nil, err
		}
		for name, text := range notes {
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, fmt.Errorf("jobs: note %s: %w", name, err)
			}
			all = append(all, sealedValue{store.Resealed{Note: name, Was: []byte(text)}, raw, name})
		}
	}
	return all, nil
}

// Rotate brings SECRET_KEY into force and seals everything with it anew, and
// gives how many values that were. It refuses with a *KeyError what it cannot
// open, may be broken off and repeated at any point, and runs beside any number
// of processes that know both keys. settle is how long these may take to follow;
// what they wrote meanwhile with the old key is then found.
func (k *Keys) Rotate(ctx context.Context, settle time.Duration) (int64, error) {
	before, err := k.State(ctx)
	if err != nil {
		return 0, err
	}
	if err := before.strange(before.Known); err != nil {
		return 0, err
	}
	if err := k.force(ctx); err != nil {
		return 0, err
	}
	done, err := k.sweep(ctx)
	if err != nil {
		return done, err
	}
	if settle > 0 && (done > 0 || before.Sealing != before.Newest) {
		wait := time.NewTimer(settle)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return done, fmt.Errorf("jobs: seal again: %w", ctx.Err())
		case <-wait.C:
		}
	}
	late, err := k.sweep(ctx)
	if done += late; err != nil || done == 0 && before.Sealing == before.Newest {
		return done, err
	}
	return done, k.Store.NoteAudit(ctx, "secrets.rotate", "secrets", map[string]any{"key": before.Sealing}, map[string]any{"key": before.Newest, "values": done})
}

// force makes SECRET_KEY the one that everybody seals with.
func (k *Keys) force(ctx context.Context) error {
	if err := k.Vault.Prefer(k.Vault.IDs()[0]); err != nil {
		return err
	}
	for range resealRounds {
		was, err := k.Store.Note(ctx, keyNote)
		if err != nil {
			return err
		}
		raw, err := base64.StdEncoding.DecodeString(was)
		if err != nil {
			return fmt.Errorf("jobs: key check: %w", err)
		}
		now, changed, err := k.Vault.Reseal(raw, keyNote)
		if err != nil || !changed {
			return err
		}
		n, err := k.Store.Reseal(ctx, []store.Resealed{{Note: keyNote, Was: []byte(was), Now: []byte(base64.StdEncoding.EncodeToString(now))}})
		if err != nil || n == 1 {
			return err
		}
	}
	return errors.New("jobs: another process brings another key into force all the time")
}

// sweep seals with the key in force what others sealed, until nothing is left.
func (k *Keys) sweep(ctx context.Context) (int64, error) {
	var done int64
	for range resealRounds {
		values, err := k.values(ctx)
		if err != nil {
			return done, err
		}
		var batch []store.Resealed
		for _, v := range values {
			now, changed, err := k.Vault.Reseal(v.raw, v.about)
			if errors.Is(err, secret.ErrKey) {
				return done, &KeyError{Names: []string{v.name()}, Sealed: secret.SealedBy(v.raw), Known: k.Vault.IDs()}
			}
			if err != nil {
				return done, err
			}
			if !changed {
				continue
			}
			if v.Now = now; v.Note != "" {
				v.Now = []byte(base64.StdEncoding.EncodeToString(now))
			}
			batch = append(batch, v.Resealed)
		}
		if len(batch) == 0 {
			return done, nil
		}
		for part := range slices.Chunk(batch, resealBatch) {
			n, err := k.Store.Reseal(ctx, part)
			if done += n; err != nil {
				return done, err
			}
		}
	}
	return done, errors.New("jobs: others go on writing with the key before; have every process know the new one, then repeat it")
}

// Forget drops what no known key opens, and makes SECRET_KEY the key in force.
// It gives how many values that were.
func (k *Keys) Forget(ctx context.Context) (int64, error) {
	values, err := k.values(ctx)
	if err != nil {
		return 0, err
	}
	known := k.Vault.IDs()
	if err := k.Vault.Prefer(known[0]); err != nil {
		return 0, err
	}
	var lost []store.Resealed
	for _, v := range values {
		if !slices.Contains(known, secret.SealedBy(v.raw)) {
			lost = append(lost, v.Resealed)
		}
	}
	fresh, err := k.Vault.Seal([]byte(keyText), keyNote)
	if err != nil {
		return 0, err
	}
	n, err := k.Store.ForgetSealed(ctx, lost, keyNote, base64.StdEncoding.EncodeToString(fresh))
	if err != nil {
		return 0, err
	}
	return n, k.Store.NoteAudit(ctx, "secrets.forget", "secrets", map[string]any{"values": n}, map[string]any{"key": known[0]})
}

// followKey has the vault seal with the key in force. A process that does not
// know it goes on with the credentials that it has opened.
func (r *Registry) followKey(ctx context.Context) error {
	text, err := r.o.Store.Note(ctx, keyNote)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("jobs: key check: %w", err)
	}
	if r.o.Vault.Prefer(secret.SealedBy(raw)) != nil {
		r.o.Log.Warn("the stored credentials are encrypted with a key that this process does not know; it goes on with those that it has opened. Start it again with the new SECRET_KEY",
			"key", secret.SealedBy(raw), "known", r.o.Vault.IDs())
	}
	return nil
}
