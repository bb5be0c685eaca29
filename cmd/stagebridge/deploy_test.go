package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// deployed reads what the program is deployed with, by path from the root.
func deployed(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	files := map[string]string{}
	for _, pattern := range []string{"Dockerfile", "compose.yaml", "deploy/kubernetes/*.yaml", "deploy/systemd/*.service"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, found %v", pattern, err, paths)
		}
		for _, path := range paths {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.ToSlash(name)] = string(body)
		}
	}
	return files
}

// TestDeployedSettings wants every setting that is named there to be one.
func TestDeployedSettings(t *testing.T) {
	t.Parallel()
	var known []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		known = append(known, prefix+f.Tag.Get("envconfig"))
	}
	for name, body := range deployed(t) {
		for _, found := range regexp.MustCompile(prefix+`[A-Z_]*[A-Z]`).FindAllString(body, -1) {
			if !slices.Contains(known, strings.TrimSuffix(found, fileSuffix)) {
				t.Errorf("%s names %s, which is no setting", name, found)
			}
		}
	}
}

// TestDeployedCommands wants every command line that is started there to be
// understood.
func TestDeployedCommands(t *testing.T) {
	t.Parallel()
	files := deployed(t)
	lines := []string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:HEALTHCHECK.* )?CMD (\[.*\])$`).FindAllStringSubmatch(files["Dockerfile"], -1) {
		var words []string
		if err := yaml.Unmarshal([]byte(m[1]), &words); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimPrefix(strings.Join(words, " "), "/stagebridge "))
	}
	for _, m := range regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/stagebridge (.*)$`).FindAllStringSubmatch(files["deploy/systemd/stagebridge.service"], -1) {
		lines = append(lines, m[1])
	}
	for _, p := range pods(t, files["deploy/kubernetes/stagebridge.yaml"]) {
		lines = append(lines, strings.Join(p.Spec.Template.Spec.Containers[0].Args, " "))
	}
	if want := []string{"health", "serve", "serve", "serve -role web", "serve -role worker"}; !slices.Equal(slices.Sorted(slices.Values(lines)), want) {
		t.Fatalf("these command lines were found: %q, want %q", lines, want)
	}
	for _, line := range lines {
		c, args, ok := findCommand(strings.Fields(line))
		if !ok {
			t.Errorf("%q is no command", line)
			continue
		}
		set := flag.NewFlagSet(line, flag.ContinueOnError)
		set.SetOutput(io.Discard)
		for _, f := range describe(c).flags {
			set.Var(f.Value, f.Name, f.Usage)
		}
		if err := set.Parse(args); err != nil || set.NArg() > 0 {
			t.Errorf("%q: %v, left over %q", line, err, set.Args())
		}
	}
}

// TestDeployedStops wants whoever stops the program to wait for longer than it
// takes to stop in order.
func TestDeployedStops(t *testing.T) {
	t.Parallel()
	files := deployed(t)
	c, _, err := loadConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Grace time.Duration `yaml:"stop_grace_period"`
		}
	}
	if err := yaml.Unmarshal([]byte(files["compose.yaml"]), &compose); err != nil {
		t.Fatal(err)
	}
	graces := map[string]time.Duration{"compose.yaml": compose.Services["stagebridge"].Grace}
	unit := regexp.MustCompile(`(?m)^TimeoutStopSec=(.*)$`).FindStringSubmatch(files["deploy/systemd/stagebridge.service"])
	if unit == nil {
		t.Fatal("the unit has no TimeoutStopSec")
	}
	if graces["systemd"], err = time.ParseDuration(unit[1]); err != nil {
		t.Fatal(err)
	}
	for _, p := range pods(t, files["deploy/kubernetes/stagebridge.yaml"]) {
		sleep := p.Spec.Template.Spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds
		graces[p.Metadata.Name] = time.Duration(p.Spec.Template.Spec.Grace-sleep) * time.Second
	}
	for where, grace := range graces {
		if grace <= c.ShutdownTimeout {
			t.Errorf("%s waits for %s, the program needs up to %s", where, grace, c.ShutdownTimeout)
		}
	}
}

// TestDeployedPods have no rights and can write nothing but the data folder.
func TestDeployedPods(t *testing.T) {
	t.Parallel()
	all := pods(t, deployed(t)["deploy/kubernetes/stagebridge.yaml"])
	if len(all) != 2 {
		t.Fatalf("%d deployments, want web and worker", len(all))
	}
	for _, p := range all {
		spec := p.Spec.Template.Spec
		limits := spec.Containers[0].Security
		if !spec.Security.NonRoot || !limits.ReadOnly || limits.Escalation == nil || *limits.Escalation || !slices.Equal(limits.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("%s: %+v, %+v", p.Metadata.Name, spec.Security, limits)
		}
		ports := map[string]bool{}
		for _, port := range spec.Containers[0].Ports {
			ports[port.Name] = true
		}
		for what, probe := range map[string]probe{"startup": spec.Containers[0].Startup, "ready": spec.Containers[0].Ready, "live": spec.Containers[0].Live} {
			want := map[bool]string{true: "/readyz", false: "/healthz"}[what == "ready"]
			if probe.Get.Path != want || !ports[probe.Get.Port] {
				t.Errorf("%s: the %s probe asks %s at %s", p.Metadata.Name, what, probe.Get.Path, probe.Get.Port)
			}
		}
	}
}

// probe, podSpec and deployment are what the tests read of a Deployment.
type probe struct {
	Get struct{ Path, Port string } `yaml:"httpGet"`
}

type podSpec struct {
	Grace    int `yaml:"terminationGracePeriodSeconds"`
	Security struct {
		NonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`

	Containers []struct {
		Args      []string
		Ports     []struct{ Name string }
		Startup   probe `yaml:"startupProbe"`
		Ready     probe `yaml:"readinessProbe"`
		Live      probe `yaml:"livenessProbe"`
		Lifecycle struct {
			PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
		}
		Security struct {
			Escalation   *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnly     bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities struct{ Drop []string }
		} `yaml:"securityContext"`
	}
}

type deployment struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Template struct{ Spec podSpec }
	}
}

// pods gives the Deployments of a file of manifests.
func pods(t *testing.T, manifests string) []deployment {
	t.Helper()
	var found []deployment
	for decoder := yaml.NewDecoder(strings.NewReader(manifests)); ; {
		var d deployment
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if d.Kind == "Deployment" {
			found = append(found, d)
		}
	}
}
