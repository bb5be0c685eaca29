// Command stagebridge keeps one truth about where each customer stands in
// their lifecycle and keeps every connected tool in agreement with it.
package main

import (
	"context"
	"os"

	"github.com/redis/go-redis/v9/logging"
)

func main() {
	// While Redis is away its client would write a line per attempt past our log,
	// some tens a second. That it is away is said in the log and by /readyz.
	logging.Disable()
	os.Exit(run(context.Background(), os.Args[1:], environment(os.Environ()), os.Stdin, os.Stdout, os.Stderr))
}
