package live

// pieceSize is how many values are allocated at once.
const pieceSize = 1 << 13

// pieces keeps copies of many short lists in few pieces of memory: a million
// lists of their own would cost the garbage collector more than the report.
type pieces[T any] struct{ piece []T }

// keep copies a list.
func (p *pieces[T]) keep(list []T) []T {
	if len(list) > cap(p.piece)-len(p.piece) {
		p.piece = make([]T, 0, max(pieceSize, len(list)))
	}
	from := len(p.piece)
	p.piece = append(p.piece, list...)
	return p.piece[from:len(p.piece):len(p.piece)]
}
