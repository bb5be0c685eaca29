package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/stagebridge/stagebridge/secret"
)

// fileSuffix names, behind a secret's variable, a file to read it from, as
// container platforms mount secrets.
const fileSuffix = "_FILE"

// maxSecretFile is far more than any key or URL needs, in bytes.
const maxSecretFile = 64 << 10

var secretType = reflect.TypeFor[secret.Text]()

// readSettings fills c from env and gives every mistake. A variable that is
// set to nothing counts as not set, since compose files and CI systems set
// empty ones freely.
func readSettings(env map[string]string, c *Config) []error {
	var mistakes []error
	fields := reflect.ValueOf(c).Elem()
	for _, f := range reflect.VisibleFields(fields.Type()) {
		name := prefix + f.Tag.Get("envconfig")
		value, err := valueOf(env, name, f)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		if value == "" {
			continue
		}
		into := fields.FieldByIndex(f.Index)
		if decode(f, value, into) == nil {
			continue
		}
		mistakes = append(mistakes, settingMistake(name, value, f.Type))
		// With the default in its place the mistake is not reported a second
		// time, as a zero out of bounds. A test reads every default.
		_ = decode(f, f.Tag.Get("default"), into)
	}
	return mistakes
}

// valueOf gives a setting's text: its variable, its file, or its default.
func valueOf(env map[string]string, name string, f reflect.StructField) (string, error) {
	value, path := env[name], env[name+fileSuffix]
	switch {
	case f.Type != secretType || path == "":
	case value != "":
		return "", fmt.Errorf("%s and %s are both set; keep one", name, name+fileSuffix)
	default:
		return readSecretFile(name+fileSuffix, path)
	}
	if value == "" {
		value = f.Tag.Get("default")
	}
	return value, nil
}

func readSecretFile(name, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecretFile {
		return "", fmt.Errorf("%s: %s is not a file of at most %d bytes", name, path, maxSecretFile)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	// Editors and `echo` end a file with a line feed that is no part of a secret.
	value := strings.TrimRight(string(body), "\r\n")
	if value == "" {
		return "", fmt.Errorf("%s: %s is empty", name, path)
	}
	return value, nil
}

// decode lets envconfig turn one text into one field. Two things about
// envconfig shape it: it stops at the first mistake, so each field is given to
// it alone; and it reads only the process's own environment, also under the
// name without prefix, so the text goes in as the default of a variable that
// cannot exist.
func decode(f reflect.StructField, value string, into reflect.Value) error {
	single := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: f.Name,
		Type: f.Type,
		Tag:  reflect.StructTag(`envconfig:"=" default:` + strconv.Quote(value)),
	}}))
	if err := envconfig.Process("", single.Interface()); err != nil {
		return err
	}
	into.Set(single.Elem().Field(0))
	return nil
}

// settingMistake says what a value should have been. It shows the value, so it
// must not be used for secrets; those are texts, which are always readable.
func settingMistake(name, value string, t reflect.Type) error {
	want := "something else"
	switch t {
	case reflect.TypeFor[bool]():
		want = "true or false"
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		want = "a whole number"
	case reflect.TypeFor[time.Duration]():
		want = "a duration such as 15s or 2m"
	case reflect.TypeFor[slog.Level]():
		want = "debug, info, warn or error"
	case reflect.TypeFor[[]netip.Prefix]():
		want = "networks separated by commas, such as 10.0.0.0/8,192.0.2.7/32"
	}
	return fmt.Errorf("%s is %q, want %s", name, value, want)
}

// unknownSettings warns of variables with our prefix that nothing reads: most
// often a misspelt name. They are no error, because Kubernetes sets
// STAGEBRIDGE_PORT and the like for a service of that name.
func unknownSettings(env map[string]string) []string {
	known := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		name := prefix + f.Tag.Get("envconfig")
		known[name] = true
		if f.Type == secretType {
			known[name+fileSuffix] = true
		}
	}
	var warnings []string
	for name := range env {
		if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, prefix+"TEST_") && !known[name] {
			warnings = append(warnings, name+" is not a setting and is ignored")
		}
	}
	slices.Sort(warnings)
	return warnings
}

// environment turns the form of os.Environ into a map; of a name that is there
// twice the last counts, as in a shell.
func environment(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, pair := range list {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}
