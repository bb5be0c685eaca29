package live

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

// A file has every table and, behind the last one, what it means; a program
// reads it as CSV, and a spreadsheet takes no cell for a formula.
func TestCSVSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	for _, info := range Reports() {
		r := answer(t, info.Name, "from:2026-01-01 to:2026-04-01", everything(t))
		r.note("=1+1, \"quoted\",\nand over two lines")
		var out bytes.Buffer
		if err := r.WriteCSV(&out); err != nil {
			t.Fatal(err)
		}
		reader := csv.NewReader(bytes.NewReader(out.Bytes()))
		reader.FieldsPerRecord = -1 // tables have columns of their own
		rows, err := reader.ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", info.Name, err)
		}
		want := [][]string{}
		for _, table := range r.Tables {
			for _, row := range append([][]string{table.Columns}, table.Rows...) {
				want = append(want, slices.Clone(row))
			}
		}
		want = append(want, []string{"report", info.Name}, []string{"people", number(r.People)}, []string{"definition", r.Definition})
		for _, n := range r.Notes {
			want = append(want, []string{"note", n})
		}
		for _, row := range want {
			for i := range row {
				row[i] = Inert(row[i])
			}
		}
		if !slices.EqualFunc(want, rows, slices.Equal[[]string]) {
			t.Errorf("%s:\n%q, want\n%q", info.Name, rows, want)
		}
		if blocks := strings.Count(out.String(), "\n\n"); blocks != len(r.Tables) {
			t.Errorf("%s: %d tables and their meaning are parted by %d empty lines", info.Name, len(r.Tables), blocks)
		}
	}
}
