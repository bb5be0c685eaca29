//go:build !race

package browser_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	// picturesFolder holds the pictures that README and docs show.
	picturesFolder = "../docs/images"
	// mostPictureBytes bounds all of them together: whoever clones the repository
	// gets them.
	mostPictureBytes = 1_500_000
)

// shownPicture is a page of the demo as README and docs show it. Before brings
// the page to where it is worth a look.
type shownPicture struct {
	name   string
	height int64
	before func(*tab)
}

// shownPictures lists them. All are 1440 wide and light.
func shownPictures() []shownPicture {
	at := func(path string) func(*tab) { return func(p *tab) { p.open(path) } }
	return []shownPicture{
		{"overview", 900, at("/")},
		{"connection", 800, at("/connections/hubspot-demo")},
		{"mapping", 900, func(p *tab) {
			p.open("/connections/hubspot-demo/rules")
			p.set("#source", strings.Replace(p.value("#source"), "event: Lead:Qualified", "event: Lead:Contacted", 1))
			p.until("the effect is told", `/[1-9]\d* would change/.test(document.querySelector("[data-effect]")?.innerText)`)
		}},
		{"plan", 900, at("/plan")},
		{"person", 1100, func(p *tab) {
			p.open("/people?stage=Advocate")
			p.open(p.href("/people/"))
		}},
		{"segments", 640, at("/segments")},
		{"sync", 800, at("/sync")},
		{"inbox", 800, at("/inbox")},
		{"funnel", 900, at("/reports/funnel")},
		{"stay", 900, at("/reports/stay")},
	}
}

// TestPictures holds README and docs against the pictures that are there. With
// STAGEBRIDGE_PICTURES, as make screenshots sets it, it makes them anew first,
// from the story of the demo.
func TestPictures(t *testing.T) {
	t.Parallel()
	if os.Getenv("STAGEBRIDGE_PICTURES") != "" {
		takePictures(t)
	}
	files, err := filepath.Glob(filepath.Join(picturesFolder, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	var there []string
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		there = append(there, strings.TrimSuffix(filepath.Base(file), ".png"))
	}
	if total > mostPictureBytes {
		t.Errorf("the pictures have %d bytes, at most %d", total, mostPictureBytes)
	}
	shown := picturesShown(t)
	for _, picture := range shownPictures() {
		if !slices.Contains(there, picture.name) || !slices.Contains(shown, picture.name) {
			t.Errorf("the picture %s is made: %t, shown: %t", picture.name, slices.Contains(there, picture.name), slices.Contains(shown, picture.name))
		}
	}
	for _, name := range slices.Concat(there, shown) {
		if !slices.ContainsFunc(shownPictures(), func(p shownPicture) bool { return p.name == name }) {
			t.Errorf("nobody makes the picture %s", name)
		}
	}
}

// picturesShown are the names of the pictures that README and docs show.
func picturesShown(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`images/([a-z]+)\.png\)`).FindAllSubmatch(text, -1) {
			all = append(all, string(m[1]))
		}
	}
	return all
}

func takePictures(t *testing.T) {
	t.Helper()
	line := start(t, "log in as admin", nil, "demo", "-stay")
	p := openTab(t, between(t, line, "Open ", " and"))
	p.screen(1440, "light")
	p.login("admin", between(t, line, "password ", "\n"))
	p.reads("people on the plan")
	if err := os.MkdirAll(picturesFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, picture := range shownPictures() {
		picture.before(p)
		var shot []byte
		p.do("take "+picture.name, chromedp.EmulateViewport(1440, picture.height), emulation.SetScrollbarsHidden(true),
			chromedp.Evaluate(`document.activeElement.blur(); scrollTo(0, 0)`, nil), chromedp.CaptureScreenshot(&shot))
		small, err := fewColours(shot)
		if err != nil {
			t.Fatalf("%s: %v", picture.name, err)
		}
		if err := os.WriteFile(filepath.Join(picturesFolder, picture.name+".png"), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fewColours writes a PNG with its 256 commonest colours: pages have few, and
// the shades between them at the edges of letters are not missed.
func fewColours(shot []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	box := full.Bounds()
	counts := map[color.RGBA]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			counts[rgba(full.At(x, y))]++
		}
	}
	common := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		common = append(common, c)
	}
	slices.SortFunc(common, func(a, b color.RGBA) int {
		if n := counts[b] - counts[a]; n != 0 {
			return n
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - int(b.R)<<16 - int(b.G)<<8 - int(b.B)
	})
	palette := make(color.Palette, min(len(common), 256))
	for i := range palette {
		palette[i] = common[i]
	}
	nearest := map[color.RGBA]uint8{}
	small := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := rgba(full.At(x, y))
			i, known := nearest[c]
			if !known {
				i = uint8(palette.Index(c))
				nearest[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, small); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out.Bytes(), nil
}

func rgba(c color.Color) color.RGBA {
	r, g, b, a := c.RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), uint8(a >> 8)}
}
