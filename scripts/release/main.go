// Command release builds what a release consists of: for every target an
// archive with the static binary, manual, completion and licences, and the bill
// of materials of that binary; beside them the checksums and the notes.
//
//	go run ./scripts/release -version 1.2.3 -o dist
//
// The same commit, version and Go version give the same bytes, in whatever
// folder, on whatever day and machine: paths are trimmed, nothing is stamped but
// the version and the commit, and every file in an archive bears the time in
// SOURCE_DATE_EPOCH, else that of the commit.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// targets are what a release is built for.
var targets = [...]string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// release is what is being made.
type release struct {
	// root of the repository.
	root string
	// out is the folder that it is written to.
	out string
	// version without a leading v.
	version string
	// revision is the commit, in full.
	revision string
	// time that every file bears, in whole seconds.
	time time.Time
	// targets as os/arch.
	targets []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := release{}
	list := ""
	flag.StringVar(&r.version, "version", "", "the released version; a snapshot of the commit when empty")
	flag.StringVar(&r.out, "o", "dist", "the folder that everything is written to, which must be empty or not there")
	flag.StringVar(&r.revision, "revision", "", "the commit, where the folder is no git repository")
	flag.StringVar(&list, "targets", strings.Join(targets[:], ","), "os/arch, with commas")
	flag.Parse()
	r.targets = strings.Split(list, ",")
	if err := r.make(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

// make writes everything, and the checksums last: a folder without them is not
// a whole release.
func (r *release) make(ctx context.Context) error {
	notes, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	shared, err := r.sharedFiles(ctx)
	if err != nil {
		return err
	}
	var sums strings.Builder
	write := func(name string, body []byte) error {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(body), name)
		return os.WriteFile(filepath.Join(r.out, name), body, 0o644)
	}
	for _, target := range r.targets {
		name := fmt.Sprintf("stagebridge-%s-%s", r.version, strings.ReplaceAll(target, "/", "-"))
		fmt.Printf("%s\n", name)
		archive, bill, err := r.build(ctx, target, name, shared)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		suffix := ".tar.gz"
		if strings.HasPrefix(target, "windows/") {
			suffix = ".zip"
		}
		if err := errors.Join(write(name+suffix, archive), write(name+".cdx.json", bill)); err != nil {
			return err
		}
	}
	if err := write("release-notes.md", []byte(notes)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// prepare finds out what is built, and refuses what would be no release. It
// gives the notes.
func (r *release) prepare(ctx context.Context) (string, error) {
	for _, t := range r.targets {
		if !slices.Contains(targets[:], t) {
			return "", fmt.Errorf("there is no target %q, only %s", t, strings.Join(targets[:], ", "))
		}
	}
	var err error
	if r.root, err = output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}"); err != nil {
		return "", err
	}
	if err := r.identify(ctx); err != nil {
		return "", err
	}
	changelog, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	section := "Unreleased"
	if r.version == "" {
		r.version = "0.0.0-" + r.revision[:min(12, len(r.revision))]
	} else if !strings.HasPrefix(r.version, "0.0.0-") {
		section = r.version
	}
	notes, err := releaseNotes(string(changelog), section)
	if err != nil {
		return "", err
	}
	if found, err := os.ReadDir(r.out); err == nil && len(found) > 0 {
		return "", fmt.Errorf("%s is not empty", r.out)
	}
	return notes, os.MkdirAll(r.out, 0o755)
}

// identify reads the commit and its time. What is not committed cannot be
// built again by others, so it must not be there.
func (r *release) identify(ctx context.Context) error {
	if r.revision == "" {
		changed, err := output(ctx, r.root, "git", "status", "--porcelain")
		if err != nil {
			return err
		}
		if changed != "" {
			return fmt.Errorf("there are changes that are not committed:\n%s", changed)
		}
		if r.revision, err = output(ctx, r.root, "git", "rev-parse", "HEAD"); err != nil {
			return err
		}
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		var err error
		if epoch, err = output(ctx, r.root, "git", "log", "-1", "--format=%ct", r.revision); err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH is not set, and the commit's time: %w", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q, want seconds since 1970", epoch)
	}
	r.time = time.Unix(seconds, 0).UTC()
	return nil
}

// sharedFiles are those that every archive holds, by name.
func (r *release) sharedFiles(ctx context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, from := range map[string]string{
		"LICENSE": "LICENSE", "README.md": "README.md", "CHANGELOG.md": "CHANGELOG.md", "config.example.env": "config.example.env",
		"stagebridge.service": "deploy/systemd/stagebridge.service",
		"completion/bash":     "cmd/stagebridge/completion/bash", "completion/zsh": "cmd/stagebridge/completion/zsh",
		"completion/fish": "cmd/stagebridge/completion/fish", "completion/powershell": "cmd/stagebridge/completion/powershell",
	} {
		body, err := os.ReadFile(filepath.Join(r.root, from))
		if err != nil {
			return nil, err
		}
		files[name] = body
	}
	// The manual is what the program says of itself.
	dir, err := os.MkdirTemp("", "release-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	own := filepath.Join(dir, "stagebridge")
	if err := r.compile(ctx, runtime.GOOS+"/"+runtime.GOARCH, own); err != nil {
		return nil, err
	}
	manual, err := exec.CommandContext(ctx, own, "manual").Output()
	files["stagebridge.1"] = manual
	return files, err
}

// output gives a command's standard output without the last line feed.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimRight(string(out), "\n"), nil
}
