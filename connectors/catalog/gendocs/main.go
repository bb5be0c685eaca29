// Command gendocs writes the pages about connectors into a folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/stagebridge/stagebridge/connectors/catalog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// run replaces the Markdown files of the folder, so that the page of a vendor
// that is gone goes too.
func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want the folder to write to")
	}
	pages, err := catalog.Docs()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(args[0], "*.md"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, stays := pages[filepath.Base(path)]; stays {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
