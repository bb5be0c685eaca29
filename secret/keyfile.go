package secret

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// keyFile is the name of the key file in its folder.
const keyFile = "secret.key"

// KeyFile reads the keys kept in a folder, one on each line, that in force
// first. It makes one (mode 0600) when there is none yet.
func KeyFile(dir string) ([]Text, error) {
	path := filepath.Join(dir, keyFile)
	b, err := os.ReadFile(path)
	if err == nil {
		return Keys(string(b)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	text, err := newKey()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return KeyFile(dir) // another process was faster
	}
	if err != nil {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("secret: key file: %w", err)
	}
	return []Text{New(text)}, nil
}

// AddKey puts a new key before those of the key file, which must be there. The
// file is replaced as a whole.
func AddKey(dir string) error {
	path := filepath.Join(dir, keyFile)
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("secret: key file: %w", err)
	}
	text, err := newKey()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, keyFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("secret: key file: %w", err)
	}
	_, err = f.WriteString(text + "\n" + string(old))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("secret: key file: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// Keys reads several keys out of one text, with blanks or lines between them.
func Keys(text string) []Text {
	var all []Text
	for _, one := range strings.Fields(text) {
		all = append(all, New(one))
	}
	return all
}

func newKey() (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("secret: key file: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}
