package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/stagebridge/stagebridge/reports/explore"
)

// lookmlCommand writes a LookML project over the views of the database.
func lookmlCommand() command {
	c := command{name: "lookml", operands: "[-connection NAME] [-schema NAME] DIR", summary: "write a LookML project over the database's views, for Looker (docs/explore.md)"}
	c.run = func(_ context.Context, p *program, args []string) error {
		var connection, schema string
		names, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&connection, "connection", "stagebridge", "the database's name in Looker")
			f.StringVar(&schema, "schema", "", "the schema that the views are in, when it is not on the search path")
		}, 1, 1)
		if err != nil {
			return err
		}
		files := explore.LookML(connection, schema)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			path := filepath.Join(names[0], filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(files[name]), 0o644); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(p.stdout, "wrote %d files to %s; put them into the repository of a LookML project\n", len(files), names[0])
		return err
	}
	return c
}
