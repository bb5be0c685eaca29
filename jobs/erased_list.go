package jobs

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// ErasedEntry is one line of the list of what was erased: a keyed hash in hex,
// and up to when what it names is kept out, RFC 3339. It tells nothing to
// whoever lacks the installation's secret key.
type ErasedEntry struct {
	Hash  string    `json:"hash"`
	Until time.Time `json:"until"`
}

// Erased gives the list of what was erased so far. Kept beside the backups, it
// lets a restored one be brought up to the erasures since: see ApplyErased.
func (a *Admin) Erased(ctx context.Context) ([]ErasedEntry, error) {
	blocks, _, err := a.Registry.o.Store.Blocks(ctx, 0)
	if err != nil {
		return nil, err
	}
	list := make([]ErasedEntry, len(blocks))
	for i, b := range blocks {
		list[i] = ErasedEntry{hex.EncodeToString(b.Hash[:]), b.Until.Time()}
	}
	return list, nil
}

// ApplyErased holds all that is stored against a list of the same installation,
// as long work: who was erased is erased again here, and kept out. It answers
// how many lines there were. The error is *Invalid for what is no such list.
func (a *Admin) ApplyErased(ctx context.Context, list []ErasedEntry) (int, error) {
	byHash := map[[16]byte]lifecycle.Instant{}
	for i, line := range list {
		raw, err := hex.DecodeString(line.Hash)
		if err != nil || len(raw) != 16 || line.Until.IsZero() {
			return 0, &Invalid{[]error{&connectors.SettingError{Field: fmt.Sprintf("line %d", i+1), Detail: "is not of a list of erasures"}}}
		}
		hash := [16]byte(raw)
		byHash[hash] = max(byHash[hash], lifecycle.At(line.Until))
	}
	blocks := make([]store.Block, 0, len(byHash))
	for hash, until := range byHash {
		blocks = append(blocks, store.Block{Hash: hash, Until: until})
	}
	if len(blocks) == 0 {
		return 0, nil
	}
	if err := a.Registry.o.Store.AddBlocks(ctx, blocks); err != nil {
		return 0, err
	}
	_, err := startErasing(ctx, a.Works, "list of erasures")
	return len(list), err
}
