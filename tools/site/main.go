// Command site makes a website of the repository's documentation: one folder per
// version, static pages that need no script, and at the root a page that lists
// the versions and leads to the newest. A link that leads nowhere is an error,
// and then nothing is written.
//
//	go -C tools run ./site -version 1.2.3 -o ../dist/site
//
// Folders of versions made before stay as they are.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", "..", "the root of the repository")
	out := flag.String("o", "../dist/site", "the folder of all versions")
	version := flag.String("version", "next", "the version that the documentation is of")
	flag.Parse()
	if err := run(*root, *out, *version); err != nil {
		fmt.Fprintf(os.Stderr, "site: %v\n", err)
		os.Exit(1)
	}
}

func run(root, out, version string) error {
	s, err := load(os.DirFS(root))
	if err != nil {
		return err
	}
	return s.write(out, version)
}
