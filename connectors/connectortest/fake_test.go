package connectortest

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func get(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Status[:3] + " " + string(b)
}

func TestFake(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "lists.json")
	if err := os.WriteFile(file, []byte(`{"lists":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := NewFake(t).Fixture("GET /lists", file).Reply("POST /lists/{id}", 201, `{"ok":true}`)
	f.Handle("PATCH /echo/{id}", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.PathValue("id")+string(b))
	})
	var got []string
	got = append(got, get(t, "GET", f.URL+"/lists?count=1", ""), get(t, "POST", f.URL+"/lists/7", `{"n":1}`), get(t, "PATCH", f.URL+"/echo/9", "x"))
	f.Reply("GET /lists", 200, "replaced")
	f.FailRoute("PATCH /echo/{id}", Reply(503, "sick"))
	got = append(got, get(t, "GET", f.URL+"/lists", ""), get(t, "PATCH", f.URL+"/echo/9", "x"))
	f.Fail(Reply(500, "all"))
	got = append(got, get(t, "GET", f.URL+"/lists", ""))
	f.Fail(nil)
	f.FailRoute("PATCH /echo/{id}", nil)
	got = append(got, get(t, "PATCH", f.URL+"/echo/9", "y"))
	want := []string{`200 {"lists":[]}`, `201 {"ok":true}`, "200 9x", "200 replaced", "503 sick", "500 all", "200 9y"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	r := f.Requests()[1]
	if r.Route != "POST /lists/{id}" || r.Path != "/lists/7" || string(r.Body) != `{"n":1}` || r.JSON(t).(map[string]any)["n"] == nil {
		t.Errorf("recorded %+v", r)
	}
	if n := len(f.Requests()); n != 7 {
		t.Errorf("%d requests recorded, want 7", n)
	}
	f.Forget()
	if n := len(f.Requests()); n != 0 {
		t.Errorf("%d requests after Forget", n)
	}
	if diff := cmp.Diff([]string{"GET /lists", "PATCH /echo/{id}", "POST /lists/{id}"}, f.Routes()); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}
