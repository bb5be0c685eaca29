package clv

import (
	"runtime"
	"sync"
)

// pieceRows is how many rows one processor takes at a time. It does not depend
// on how many there are, so that sums come out the same on any machine.
const pieceRows = 8192

// inPieces adds up a sum over n rows and its slopes, pieces beside each other on
// all processors. part gives those of rows from and up to to, and writes their
// slopes into a list of its own.
func inPieces(n int, grad []float64, part func(from, to int, grad []float64) float64) float64 {
	if n <= pieceRows {
		return part(0, n, grad)
	}
	pieces := (n + pieceRows - 1) / pieceRows
	totals, slopes := make([]float64, pieces), make([]float64, pieces*len(grad))
	var wg sync.WaitGroup
	next := make(chan int, pieces)
	for i := range pieces {
		next <- i
	}
	close(next)
	for range min(pieces, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				totals[i] = part(i*pieceRows, min(n, (i+1)*pieceRows), slopes[i*len(grad):(i+1)*len(grad)])
			}
		})
	}
	wg.Wait()
	clear(grad)
	var total float64
	for i := range pieces {
		total += totals[i]
		for j := range grad {
			grad[j] += slopes[i*len(grad)+j]
		}
	}
	return total
}
