package jobs

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Blocks knows who was erased, by keyed hash, and up to when. It is never
// changed; nil knows nobody. Whether an event is let in follows from the event
// and the hashes alone, so the order of arrival decides nothing (rule 4 of the
// design).
type Blocks struct {
	key   []byte
	until map[[16]byte]lifecycle.Instant
	last  int64 // number of the newest hash
}

// What a hash is of: a key with its namespace, or a value that tells people
// apart wherever it stands.
const (
	blockKey   = "key"
	blockValue = "value"
)

// eraseEcho is how long after an erasure a vendor's own word of it is
// expected: that the record is deleted now, or that the person asked.
const eraseEcho = 30 * 24 * time.Hour

// eventDeleted ends a record at a vendor; see the vocabulary.
const eventDeleted = "Contact:Deleted"

func (b *Blocks) empty() bool { return b == nil || len(b.until) == 0 }

// hash is HMAC-SHA256 under the installation's own key, cut to 16 bytes.
func (b *Blocks) hash(kind, text string) [16]byte {
	h := hmac.New(sha256.New, b.key)
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return [16]byte(h.Sum(nil)[:16])
}

// of gives the hashes of keys, and of those of their values that tell people
// apart by themselves, with the time of an erasure.
func (b *Blocks) of(keys []lifecycle.Key, until lifecycle.Instant) []store.Block {
	all := map[[16]byte]bool{}
	for _, k := range keys {
		all[b.hash(blockKey, k.String())] = true
		if token := strings.ToLower(k.Value); telling(token) {
			all[b.hash(blockValue, token)] = true
		}
	}
	blocks := make([]store.Block, 0, len(all))
	for h := range all {
		blocks = append(blocks, store.Block{Hash: h, Until: until})
	}
	return blocks
}

// with gives a Blocks that knows more.
func (b *Blocks) with(more []store.Block, last int64) *Blocks {
	next := &Blocks{key: b.key, until: maps.Clone(b.until), last: max(b.last, last)}
	if next.until == nil {
		next.until = make(map[[16]byte]lifecycle.Instant, len(more))
	}
	for _, x := range more {
		next.until[x.Hash] = max(next.until[x.Hash], x.Until)
	}
	return next
}

// drops reports an event that names somebody who was erased, and happened
// before that or tells of nothing else.
func (b *Blocks) drops(e *lifecycle.Event) bool {
	if b.empty() {
		return false
	}
	edge := e.Edge()
	for _, keys := range [2][]lifecycle.Key{edge.Keys, edge.Apart} {
		for _, k := range keys {
			until, known := b.until[b.hash(blockKey, k.String())]
			switch {
			case !known:
			case e.At <= until:
				return true
			case (e.Name == eventDeleted || e.Name == eventErasure) && e.At <= until.Add(eraseEcho):
				return true
			}
		}
	}
	return false
}

// erased gives up to when a key's person was erased; false for one who was not.
func (b *Blocks) erased(k lifecycle.Key) (lifecycle.Instant, bool) {
	if b.empty() {
		return 0, false
	}
	until, known := b.until[b.hash(blockKey, k.String())]
	return until, known
}

// names reports a text of a connection and a time that names somebody erased
// since. In what a connection told, its own ids count too.
func (b *Blocks) names(text []byte, connection string, at lifecycle.Instant) bool {
	if b.empty() || len(text) == 0 {
		return false
	}
	found := false
	eachToken(string(text), func(token string) bool {
		if value := strings.ToLower(token); telling(value) {
			until, known := b.until[b.hash(blockValue, value)]
			found = known && at <= until
		}
		if !found && connection != "" && strings.ContainsAny(token, "0123456789") {
			until, known := b.until[b.hash(blockKey, connection+":"+token)]
			found = known && at <= until
		}
		return !found
	})
	return found
}

// Lengths of values that are looked for in texts, in bytes. A shorter one
// would be found in what has nothing to do with anybody.
const (
	shortestToken = 5
	shortestValue = 8
	longestToken  = 200
)

// telling reports a value that tells people apart wherever it stands: an
// address, a phone number with its country code, or an id of letters and
// digits. A bare number may be anything's.
func telling(value string) bool {
	switch {
	case len(value) > longestToken || strings.ContainsFunc(value, separates):
		return false
	case strings.Contains(value, "@"):
		return len(value) >= shortestToken
	case len(value) < shortestValue:
		return false
	}
	digits := strings.ContainsAny(value, "0123456789")
	return digits && (value[0] == '+' || strings.ContainsAny(value, "abcdefghijklmnopqrstuvwxyz"))
}

// separates are the characters between the words of a payload in any format.
func separates(r rune) bool {
	return r <= ' ' || r == utf8.RuneError || strings.ContainsRune("\"'`<>{}[](),;=&\\:/?#", r)
}

// eachToken gives the words of a text that may be values which tell people
// apart, with percent and JSON escapes undone; fn ends it by false.
func eachToken(text string, fn func(string) bool) {
	for _, form := range [2]string{text, unescaped(text)} {
		for token := range strings.FieldsFuncSeq(form, separates) {
			token = strings.Trim(token, ".!")
			if len(token) >= shortestToken && len(token) <= longestToken && !fn(token) {
				return
			}
		}
	}
}

// unescaped undoes %40 and \u0040; "" where there is nothing to undo.
func unescaped(text string) string {
	if !strings.ContainsAny(text, `%\`) {
		return ""
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if c, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		if text[i] == '\\' && i+5 < len(text) && text[i+1] == 'u' {
			if c, err := strconv.ParseUint(text[i+2:i+6], 16, 16); err == nil {
				b.WriteRune(rune(c))
				i += 5
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// ErasureKeyNote names the sealed key of the hashes among the store's notes.
const ErasureKeyNote = "erasure_key"

// loadBlocks brings what is known of erasures up to date.
func (r *Registry) loadBlocks(ctx context.Context, old *Config) (*Blocks, error) {
	var b *Blocks
	if old != nil {
		b = old.Blocks
	}
	if b == nil {
		key, err := r.blocksKey(ctx)
		if err != nil {
			return nil, err
		}
		b = &Blocks{key: key}
	}
	more, last, err := r.o.Store.Blocks(ctx, b.last)
	if err != nil || len(more) == 0 {
		return b, err
	}
	return b.with(more, last), nil
}

// blocksKey gives the key of the hashes, made once for an installation. It is
// stored sealed, so that the hashes in a dump tell nothing to whoever lacks
// SECRET_KEY.
func (r *Registry) blocksKey(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	sealed, err := r.o.Vault.Seal(fresh, ErasureKeyNote)
	if err != nil {
		return nil, err
	}
	text, err := r.o.Store.Setting(ctx, ErasureKeyNote, base64.StdEncoding.EncodeToString(sealed))
	if err != nil {
		return nil, err
	}
	if sealed, err = base64.StdEncoding.DecodeString(text); err != nil {
		return nil, fmt.Errorf("jobs: key of erasures: %w", err)
	}
	key, err := r.o.Vault.Open(sealed, ErasureKeyNote)
	if err != nil {
		return nil, fmt.Errorf("jobs: key of erasures: %w", err)
	}
	return key, nil
}
