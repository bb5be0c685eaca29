package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrKey is what Open answers for bytes sealed with another key, or damaged.
var ErrKey = errors.New("secret: sealed with another SECRET_KEY, or damaged")

// Vault seals stored credentials with XChaCha20-Poly1305. It is safe for
// concurrent use.
type Vault struct{ key []byte }

// minKey is the shortest SECRET_KEY taken, in bytes.
const minKey = 16

// NewVault derives the sealing key from SECRET_KEY, which must be random and
// at least 16 bytes long: it is not stretched as a password would be.
func NewVault(key Text) (*Vault, error) {
	if len(key.value) < minKey {
		return nil, fmt.Errorf("secret: SECRET_KEY has %d bytes, want %d or more of random text, for example from: openssl rand -base64 32", len(key.value), minKey)
	}
	derived, err := hkdf.Key(sha256.New, []byte(key.value), nil, "stagebridge credentials v1", chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("secret: derive: %w", err)
	}
	return &Vault{derived}, nil
}

// KeyFile reads the key kept in a folder, making one (mode 0600) when there is
// none yet.
func KeyFile(dir string) (Text, error) {
	path := filepath.Join(dir, "secret.key")
	b, err := os.ReadFile(path)
	if err == nil {
		return New(strings.TrimSpace(string(b))), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return Text{}, fmt.Errorf("secret: key file: %w", err)
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return Text{}, fmt.Errorf("secret: key file: %w", err)
	}
	text := base64.StdEncoding.EncodeToString(raw)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Text{}, fmt.Errorf("secret: key file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return KeyFile(dir) // another process was faster
	}
	if err != nil {
		return Text{}, fmt.Errorf("secret: key file: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return Text{}, fmt.Errorf("secret: key file: %w", err)
	}
	return New(text), nil
}

// Seal encrypts. about binds the result to its place, for example the
// connection's id, so that it cannot be moved to another one.
func (v *Vault) Seal(plain []byte, about string) ([]byte, error) {
	box, err := chacha20poly1305.NewX(v.key)
	if err != nil {
		return nil, fmt.Errorf("secret: seal: %w", err)
	}
	nonce := make([]byte, box.NonceSize(), box.NonceSize()+len(plain)+box.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("secret: seal: %w", err)
	}
	return box.Seal(nonce, nonce, plain, []byte(about)), nil
}

// Open decrypts what Seal made; ErrKey when it was not made with this key for
// this place.
func (v *Vault) Open(sealed []byte, about string) ([]byte, error) {
	box, err := chacha20poly1305.NewX(v.key)
	if err != nil {
		return nil, fmt.Errorf("secret: open: %w", err)
	}
	if len(sealed) < box.NonceSize() {
		return nil, ErrKey
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(about))
	if err != nil {
		return nil, ErrKey
	}
	return plain, nil
}
