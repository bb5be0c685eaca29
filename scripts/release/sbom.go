package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// bill is the part of a CycloneDX 1.6 document that is written
// (https://cyclonedx.org/docs/1.6/json/).
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Scope      string     `json:"scope,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []licence  `json:"licenses"`
	PackageURL string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// licence is one SPDX expression.
type licence struct {
	Expression string `json:"expression"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// billOfMaterials lists what a binary was linked from, as the binary says. Its
// serial number follows from the binary, so that it is the same each time.
func (r *release) billOfMaterials(target string, binary []byte, modules []module) ([]byte, error) {
	sum := sha256.Sum256(binary)
	system, machine, _ := strings.Cut(target, "/")
	own := component{
		Type: "application", Name: "stagebridge", Version: r.version,
		Hashes:     []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
		Licences:   []licence{{"Apache-2.0"}},
		PackageURL: packageURL("github.com/stagebridge/stagebridge", r.version) + "?goos=" + system + "&goarch=" + machine,
		Properties: []property{{"stagebridge:revision", r.revision}},
	}
	own.Ref = own.PackageURL
	b := bill{
		Format: "CycloneDX", Spec: "1.6", Serial: serial(sum), Version: 1,
		Metadata:     metadata{Timestamp: r.time.Format(time.RFC3339), Component: own},
		Dependencies: []dependency{{Ref: own.Ref}},
	}
	for _, m := range modules {
		c := component{
			Type: "library", Name: m.path, Version: m.version, Scope: "required",
			Licences: []licence{{m.licence}}, PackageURL: packageURL(m.path, m.version),
		}
		// The sum of go.sum is one of a list of files, not of a file.
		if m.sum != "" {
			c.Properties = []property{{"stagebridge:go.sum", m.sum}}
		}
		c.Ref = c.PackageURL
		b.Components = append(b.Components, c)
		b.Dependencies[0].DependsOn = append(b.Dependencies[0].DependsOn, c.Ref)
	}
	body, err := json.MarshalIndent(b, "", "  ")
	return append(body, '\n'), err
}

// packageURL names a Go module (https://github.com/package-url/purl-spec).
func packageURL(path, version string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "pkg:golang/" + strings.Join(parts, "/") + "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
}

// serial is a UUID of version 8, RFC 9562, out of a binary's checksum.
func serial(sum [sha256.Size]byte) string {
	u := sum[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:])
}
