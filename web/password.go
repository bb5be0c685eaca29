package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// Parameters of argon2id, as the OWASP password storage cheat sheet gives them
// (2 passes over 19 MiB). They are written into each hash, so that they can
// change without anybody being locked out.
const (
	hashPasses = 2
	hashKiB    = 19 << 10
	hashBytes  = 32
	saltBytes  = 16
)

// Bounds of a password in bytes.
const (
	minPassword = 10
	maxPassword = 1024
)

// passwords hashes and checks. Each takes 19 MiB for some tens of
// milliseconds, so only two run at a time, whoever asks.
type passwords struct{ turn *semaphore.Weighted }

func newPasswords() passwords { return passwords{semaphore.NewWeighted(2)} }

func (p passwords) hash(ctx context.Context, plain string) (string, error) {
	if err := p.turn.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer p.turn.Release(1)
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("web: hash a password: %w", err)
	}
	sum := argon2.IDKey([]byte(plain), salt, hashPasses, hashKiB, 1, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, hashKiB, hashPasses,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// matches compares in constant time. An empty hash stands for a user who does
// not exist: it matches nothing and takes as long.
func (p passwords) matches(ctx context.Context, hash, plain string) (bool, error) {
	if err := p.turn.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer p.turn.Release(1)
	var version, kib, passes int
	params, coded, _ := cutHash(hash)
	if _, err := fmt.Sscanf(params, "$argon2id$v=%d$m=%d,t=%d,p=1$", &version, &kib, &passes); err != nil ||
		version != argon2.Version || kib < 1 || kib > 1<<20 || passes < 1 || passes > 100 {
		kib, passes, coded = hashKiB, hashPasses, ""
	}
	salt, sum := splitCoded(coded)
	got := argon2.IDKey([]byte(plain), salt, uint32(passes), uint32(kib), 1, hashBytes)
	return len(sum) == hashBytes && subtle.ConstantTimeCompare(got, sum) == 1, nil
}

// cutHash splits "$argon2id$v=..$m=..$salt$sum" behind the parameters.
func cutHash(hash string) (params, coded string, ok bool) {
	at := 0
	for range 4 {
		i := strings.IndexByte(hash[at:], '$')
		if i < 0 {
			return "", "", false
		}
		at += i + 1
	}
	return hash[:at], hash[at:], true
}

func splitCoded(coded string) (salt, sum []byte) {
	a, b, _ := strings.Cut(coded, "$")
	salt, err := base64.RawStdEncoding.DecodeString(a)
	if err != nil || len(salt) == 0 {
		return make([]byte, saltBytes), nil
	}
	if sum, err = base64.RawStdEncoding.DecodeString(b); err != nil {
		return salt, nil
	}
	return salt, sum
}
