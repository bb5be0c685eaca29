package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stagebridge/stagebridge/web"
)

// TestCommentsAreFresh compares web/zz_comments.go with the code.
func TestCommentsAreFresh(t *testing.T) {
	t.Parallel()
	types, err := web.DescribedTypes()
	if err != nil {
		t.Fatal(err)
	}
	found, err := gather(filepath.Join("..", "..", ".."), types)
	if err != nil {
		t.Fatal(err)
	}
	want, err := file(found)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "zz_comments.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("web/zz_comments.go is stale; 'go generate ./web' writes it")
	}
	if len(found) < 100 {
		t.Errorf("only %d comments were found", len(found))
	}
}
