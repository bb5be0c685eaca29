package main

import (
	"context"
	"flag"
	"os"

	"github.com/stagebridge/stagebridge/web"
)

// openapiCommand writes the description of the JSON API.
func openapiCommand() command {
	c := command{name: "openapi", operands: "[-o FILE]", summary: "write the description of the JSON API as an OpenAPI 3.1 document"}
	c.run = func(_ context.Context, p *program, args []string) error {
		path := ""
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&path, "o", "", "the file that it is written to; the standard output when empty")
		}, 0, 0); err != nil {
			return err
		}
		text, err := web.Description()
		if err != nil {
			return err
		}
		if path == "" {
			_, err := p.stdout.Write(text)
			return err
		}
		return os.WriteFile(path, text, 0o644)
	}
	return c
}
