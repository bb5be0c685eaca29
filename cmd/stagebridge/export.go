package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// exportCommand writes what is in force as a workspace folder.
func exportCommand() command {
	c := command{name: "export", operands: "[-force] DIR", summary: "write connections, rules and plan as a workspace folder, secrets as ${NAME}"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		force := false
		folders, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.BoolVar(&force, "force", false, "overwrite files that say something else")
		}, 1, 1)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			files, needed, err := a.applier().Export(ctx)
			if err != nil {
				return err
			}
			if err := writeFolder(folders[0], files, force); err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(files)) {
				fmt.Fprintln(p.stdout, filepath.Join(folders[0], name))
			}
			if len(needed) > 0 {
				fmt.Fprintf(p.stdout, "to apply them, set %s\n", strings.Join(needed, ", "))
			}
			return nil
		})
	}
	return c
}

// writeFolder writes all files or, where one is there with another text and
// force is not given, none.
func writeFolder(folder string, files map[string]string, force bool) error {
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		there, err := os.ReadFile(filepath.Join(folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && string(there) == files[name]:
		case err != nil:
			refused = append(refused, err)
		case !force:
			refused = append(refused, fmt.Errorf("%s is there and says something else; -force overwrites it", filepath.Join(folder, name)))
		}
	}
	if err := errors.Join(refused...); err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
