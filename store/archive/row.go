package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Kinds of a value.
const (
	null = iota
	integer
	float
	text
	blob
)

var errRow = errors.New("archive: a row cannot be read")

// appendRow writes a row: nil, int64, float64, string or []byte per column.
func appendRow(b []byte, row []any) ([]byte, error) {
	for i, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, null)
		case int64:
			b = binary.AppendVarint(append(b, integer), v)
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, float), math.Float64bits(v))
		case string:
			b = binary.AppendUvarint(append(b, text), uint64(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.AppendUvarint(append(b, blob), uint64(len(v)))
			b = append(b, v...)
		default:
			return b, fmt.Errorf("archive: column %d has a %T, which no column of ours holds", i, v)
		}
	}
	return b, nil
}

// readRow reads what appendRow wrote into row, whose length is the number of
// columns. Texts and bytes are copies.
func readRow(b []byte, row []any) error {
	for i := range row {
		if len(b) == 0 {
			return errRow
		}
		kind := b[0]
		b = b[1:]
		switch kind {
		case null:
			row[i] = nil
		case integer:
			v, n := binary.Varint(b)
			if n <= 0 {
				return errRow
			}
			row[i], b = v, b[n:]
		case float:
			if len(b) < 8 {
				return errRow
			}
			row[i], b = math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:]
		case text, blob:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errRow
			}
			value := b[n : n+int(size)]
			b = b[n+int(size):]
			if kind == text {
				row[i] = string(value)
			} else {
				row[i] = append([]byte{}, value...)
			}
		default:
			return errRow
		}
	}
	if len(b) > 0 {
		return errRow
	}
	return nil
}

// Counted is how many rows a table has, and a sum over them.
type Counted struct {
	Rows int64 `json:"rows"`
	// Sum is the sum of the rows' hashes, so it does not depend on their order.
	Sum [4]uint64 `json:"sum"`
}

// add counts a row as appendRow wrote it.
func (c *Counted) add(row []byte) {
	c.Rows++
	hash := sha256.Sum256(row)
	for i := range c.Sum {
		c.Sum[i] += binary.BigEndian.Uint64(hash[8*i:])
	}
}
