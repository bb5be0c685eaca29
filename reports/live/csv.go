package live

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the tables one below the other, parted by an empty line, and
// behind the last one what they mean: rows of a word and a text, where the word
// is report, people, definition or note. No cell is taken for a formula by
// a spreadsheet.
func (r *Report) WriteCSV(out io.Writer) error {
	blocks := make([][][]string, 0, len(r.Tables)+1)
	for _, t := range r.Tables {
		blocks = append(blocks, append([][]string{t.Columns}, t.Rows...))
	}
	blocks = append(blocks, r.meaning())
	for i, rows := range blocks {
		if i > 0 {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return err
			}
		}
		w := csv.NewWriter(out)
		for _, row := range rows {
			cells := make([]string, len(row))
			for j, cell := range row {
				cells[j] = Inert(cell)
			}
			if err := w.Write(cells); err != nil {
				return err
			}
		}
		w.Flush()
		if err := w.Error(); err != nil {
			return err
		}
	}
	return nil
}

// meaning says what the tables are about and what was counted. The moment is not
// in it, so that files differ only where figures do.
func (r *Report) meaning() [][]string {
	rows := [][]string{{"report", r.Name}, {"people", number(r.People)}, {"definition", r.Definition}}
	for _, n := range r.Notes {
		rows = append(rows, []string{"note", n})
	}
	return rows
}

// Inert keeps a spreadsheet from taking a text, such as a stage's name, for a
// formula.
func Inert(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
