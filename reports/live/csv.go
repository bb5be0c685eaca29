package live

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the tables one below the other, parted by an empty line. No
// cell is taken for a formula by a spreadsheet.
func (r *Report) WriteCSV(out io.Writer) error {
	for i, t := range r.Tables {
		if i > 0 {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return err
			}
		}
		w := csv.NewWriter(out)
		for _, row := range append([][]string{t.Columns}, t.Rows...) {
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
