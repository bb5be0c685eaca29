package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrKey is what Open answers for bytes sealed with another key, or damaged.
var ErrKey = errors.New("secret: sealed with another SECRET_KEY, or damaged")

// Vault seals stored credentials with XChaCha20-Poly1305. It may know several
// keys: it opens what any of them sealed, and seals with one. What it seals
// carries the id of the key, which tells nothing of the key itself. It is safe
// for concurrent use.
type Vault struct {
	keys []vaultKey // the first is SECRET_KEY
	by   atomic.Int64
}

type vaultKey struct {
	id  string
	key []byte
}

// minKey is the shortest SECRET_KEY taken, in bytes.
const minKey = 16

// Every sealed value begins with sealedMark, the bytes of its key's id and the
// nonce.
const (
	sealedMark = "sb1"
	idBytes    = 4
	headBytes  = len(sealedMark) + idBytes
)

// NewVault derives the sealing keys from SECRET_KEY and those before it. Each
// must be random and at least 16 bytes long: it is not stretched as a password
// would be. Until Prefer says otherwise SECRET_KEY seals.
func NewVault(key Text, previous ...Text) (*Vault, error) {
	v := &Vault{}
	for _, k := range append([]Text{key}, previous...) {
		if len(k.value) < minKey {
			return nil, fmt.Errorf("secret: SECRET_KEY has %d bytes, want %d or more of random text, for example from: openssl rand -base64 32", len(k.value), minKey)
		}
		derived, err := hkdf.Key(sha256.New, []byte(k.value), nil, "stagebridge credentials v1", chacha20poly1305.KeySize)
		if err != nil {
			return nil, fmt.Errorf("secret: derive: %w", err)
		}
		id, err := hkdf.Key(sha256.New, []byte(k.value), nil, "stagebridge key id v1", idBytes)
		if err != nil {
			return nil, fmt.Errorf("secret: derive: %w", err)
		}
		if one := (vaultKey{hex.EncodeToString(id), derived}); !slices.Contains(v.IDs(), one.id) {
			v.keys = append(v.keys, one)
		}
	}
	return v, nil
}

// IDs lists the ids of the keys that the vault knows, that of SECRET_KEY first.
func (v *Vault) IDs() []string {
	var ids []string
	for _, k := range v.keys {
		ids = append(ids, k.id)
	}
	return ids
}

// Sealing is the id of the key that Seal uses now.
func (v *Vault) Sealing() string { return v.keys[v.by.Load()].id }

// Prefer has Seal use the key of an id from now on; ErrKey when the vault does
// not know it.
func (v *Vault) Prefer(id string) error {
	i := slices.Index(v.IDs(), id)
	if i < 0 {
		return ErrKey
	}
	v.by.Store(int64(i))
	return nil
}

// SealedBy gives the id of the key that bytes were sealed with; empty for what
// no vault sealed.
func SealedBy(sealed []byte) string {
	if len(sealed) < headBytes || !bytes.HasPrefix(sealed, []byte(sealedMark)) {
		return ""
	}
	return hex.EncodeToString(sealed[len(sealedMark):headBytes])
}

// Seal encrypts. about binds the result to its place, for example the
// connection's id, so that it cannot be moved to another one.
func (v *Vault) Seal(plain []byte, about string) ([]byte, error) {
	k := v.keys[v.by.Load()]
	box, err := chacha20poly1305.NewX(k.key)
	if err != nil {
		return nil, fmt.Errorf("secret: seal: %w", err)
	}
	id, err := hex.DecodeString(k.id)
	if err != nil {
		return nil, fmt.Errorf("secret: seal: %w", err)
	}
	out := make([]byte, 0, headBytes+box.NonceSize()+len(plain)+box.Overhead())
	out = append(append(out, sealedMark...), id...)
	nonce := out[headBytes : headBytes+box.NonceSize()]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("secret: seal: %w", err)
	}
	return box.Seal(out[:headBytes+box.NonceSize()], nonce, plain, []byte(about)), nil
}

// Open decrypts what Seal made; ErrKey when it was not made with a key that the
// vault knows, for this place.
func (v *Vault) Open(sealed []byte, about string) ([]byte, error) {
	i := slices.Index(v.IDs(), SealedBy(sealed))
	if i < 0 || len(sealed) < headBytes+chacha20poly1305.NonceSizeX {
		return nil, ErrKey
	}
	box, err := chacha20poly1305.NewX(v.keys[i].key)
	if err != nil {
		return nil, fmt.Errorf("secret: open: %w", err)
	}
	nonce, rest := sealed[headBytes:headBytes+box.NonceSize()], sealed[headBytes+box.NonceSize():]
	plain, err := box.Open(nil, nonce, rest, []byte(about))
	if err != nil {
		return nil, ErrKey
	}
	return plain, nil
}

// Reseal seals with the key that Seal uses now what another one sealed. It
// gives the bytes as they are, and false, where that is no change.
func (v *Vault) Reseal(sealed []byte, about string) ([]byte, bool, error) {
	if SealedBy(sealed) == v.Sealing() {
		return sealed, false, nil
	}
	plain, err := v.Open(sealed, about)
	if err != nil {
		return nil, false, err
	}
	defer clear(plain)
	again, err := v.Seal(plain, about)
	return again, err == nil, err
}
