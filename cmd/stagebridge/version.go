package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is the released version, set by the linker
// (-ldflags '-X main.release=1.2.3'); empty in a build of one's own.
var release string

// revision is the commit that a release was built from, set likewise.
var revision string

func versionCommand() command {
	c := command{name: "version", summary: "print the version"}
	c.run = func(_ context.Context, p *program, args []string) error {
		if _, err := p.parse(c, args, nil, 0, 0); err != nil {
			return err
		}
		commit := ""
		if revision != "" {
			commit = revision[:min(12, len(revision))] + ", "
		}
		_, err := fmt.Fprintf(p.stdout, "stagebridge %s (%s%s, %s/%s)\n", version(), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
	return c
}

// version of this binary: the release, else what the go command recorded.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
