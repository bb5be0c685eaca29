// Command manifests reads Kubernetes manifests as the API server would: every
// field must exist in its type and hold what that type can. It needs no cluster
// and no network. What a schema says beyond the types, such as which fields are
// required, it does not know.
//
//	go -C tools run ./manifests ../deploy/kubernetes/*.yaml
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "manifests: %v\n", err)
		os.Exit(1)
	}
}

// run reads every document of the files and names the objects.
func run(paths []string, out io.Writer) error {
	if len(paths) == 0 {
		return errors.New("wants files")
	}
	var mistakes []error
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, document := range strings.Split("\n"+string(body), "\n---\n") {
			name, err := read([]byte(document))
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: document %d: %w", path, i+1, err))
				continue
			}
			fmt.Fprintf(out, "ok  %s  %s\n", path, name)
		}
	}
	return errors.Join(mistakes...)
}

// types gives an empty object of each kind that our manifests hold.
func types() map[string]any {
	return map[string]any{
		"apps/v1 Deployment":                 &appsv1.Deployment{},
		"v1 Namespace":                       &corev1.Namespace{},
		"v1 ConfigMap":                       &corev1.ConfigMap{},
		"v1 Secret":                          &corev1.Secret{},
		"v1 Service":                         &corev1.Service{},
		"v1 ServiceAccount":                  &corev1.ServiceAccount{},
		"networking.k8s.io/v1 Ingress":       &networkingv1.Ingress{},
		"networking.k8s.io/v1 NetworkPolicy": &networkingv1.NetworkPolicy{},
		"policy/v1 PodDisruptionBudget":      &policyv1.PodDisruptionBudget{},
	}
}

// read decodes one document strictly and gives its kind and name.
func read(document []byte) (string, error) {
	var head struct {
		APIVersion string                `json:"apiVersion"`
		Kind       string                `json:"kind"`
		Metadata   struct{ Name string } `json:"metadata"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return "", err
	}
	kind := head.APIVersion + " " + head.Kind
	object, ok := types()[kind]
	if !ok {
		return "", fmt.Errorf("the kind %q is not one of ours", kind)
	}
	if head.Metadata.Name == "" {
		return "", fmt.Errorf("%s has no name", kind)
	}
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return "", fmt.Errorf("%s %s: %w", kind, head.Metadata.Name, err)
	}
	return kind + " " + head.Metadata.Name, nil
}
