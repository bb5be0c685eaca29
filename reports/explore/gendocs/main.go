// Command gendocs writes the page about the views into a file.
package main

import (
	"fmt"
	"os"

	"github.com/stagebridge/stagebridge/reports/explore"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "gendocs: want the file to write to")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(explore.Docs()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}
