// Command stagebridge keeps one truth about where each customer stands in
// their lifecycle and keeps every connected tool in agreement with it.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], environment(os.Environ()), os.Stdin, os.Stdout, os.Stderr))
}
