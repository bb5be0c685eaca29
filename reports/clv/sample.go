package clv

import "context"

const (
	// sampleOver is how many different rows are searched from every start; of
	// more, a sample of about sampleRows finds where to begin.
	sampleOver = 20_000
	sampleRows = 10_000
)

// begin gives the starts of a search over many rows: the one place where a
// search over some of them ended. The end is the same, since that is searched
// for over all rows, and most of the way there costs a fraction. Rows are sorted,
// so every so-many-th of them is as different as all are. weight is how many
// customers a row stands for.
func begin[T any](ctx context.Context, rows []T, starts [][]float64, weight func(T) int64, over func([]T) likelihood) [][]float64 {
	if len(rows) <= sampleOver {
		return starts
	}
	step := len(rows) / sampleRows
	sample := make([]T, 0, sampleRows+sampleRows/2)
	var customers int64
	for i := step / 2; i < len(rows); i += step {
		sample = append(sample, rows[i])
		customers += weight(rows[i])
	}
	params, _, err := maximise(ctx, customers, starts, over(sample))
	if err != nil {
		return starts // what a sample does not tell, all may
	}
	return [][]float64{params}
}
