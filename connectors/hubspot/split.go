package hubspot

// chunk is one element of a batch: a part of the request's body, unchanged.
type chunk struct {
	bytes []byte
	// broken says why the element's end could not be found.
	broken string
}

// split cuts a JSON array into its elements without decoding them, so that one
// element that is no JSON does not spoil its neighbours: it only follows
// strings and brackets. A body that is not an array is one chunk. What follows a
// point where the structure itself is lost is one broken chunk, the whole body
// if nothing was found before.
//
// Whether each chunk is JSON is for the caller to find out.
func split(body []byte) []chunk {
	i := skipSpace(body, 0)
	if i == len(body) {
		return []chunk{{bytes: body, broken: "the body is empty"}}
	}
	if body[i] != '[' {
		return []chunk{{bytes: body}}
	}
	var chunks []chunk
	i = skipSpace(body, i+1)
	if i < len(body) && body[i] == ']' {
		return trailing(chunks, body, i+1)
	}
	for {
		end, next := element(body, i)
		switch next {
		case ',':
			chunks = append(chunks, chunk{bytes: trimSpace(body[i:end])})
			i = skipSpace(body, end+1)
		case ']':
			chunks = append(chunks, chunk{bytes: trimSpace(body[i:end])})
			return trailing(chunks, body, end+1)
		default:
			if len(chunks) == 0 {
				i = 0
			}
			return append(chunks, chunk{bytes: body[i:], broken: "the array ends before its closing bracket"})
		}
	}
}

// element finds the end of the array element that starts at i: the position of
// the comma or bracket that follows it, and that byte; 0 where neither comes.
func element(body []byte, i int) (end int, next byte) {
	depth := 0
	for ; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = stringEnd(body, i)
		case '{', '[':
			depth++
		case '}':
			depth--
		case ']':
			if depth <= 0 {
				return i, ']'
			}
			depth--
		case ',':
			if depth <= 0 {
				return i, ','
			}
		}
	}
	return len(body), 0
}

// stringEnd is the position of the quote that closes the string opened at i,
// or the end of the body.
func stringEnd(body []byte, i int) int {
	for i++; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(body)
}

// trailing adds what stands after the array as a broken chunk, if anything.
func trailing(chunks []chunk, body []byte, i int) []chunk {
	if i = skipSpace(body, i); i < len(body) {
		chunks = append(chunks, chunk{bytes: body[i:], broken: "text follows the array"})
	}
	return chunks
}

func skipSpace(body []byte, i int) int {
	for i < len(body) && isSpace(body[i]) {
		i++
	}
	return i
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
