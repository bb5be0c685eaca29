package store

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// ErrCursor is the answer to a cursor that no page of the list gave.
var ErrCursor = errors.New("not a cursor of this list")

// cursorText and cursorBefore are the cursor of a list that goes down by id.
func cursorText(id int64) string { return strconv.FormatInt(id, 10) }

func cursorBefore(text string) (int64, error) {
	if text == "" {
		return math.MaxInt64, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, ErrCursor
	}
	return id, nil
}

// encodeCursor and decodeCursor carry a position with several parts.
func encodeCursor(v any) string { return base64.RawURLEncoding.EncodeToString([]byte(jsonText(v))) }

func decodeCursor(text string, into any) error {
	if text == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, into) != nil {
		return ErrCursor
	}
	return nil
}

// scanIDs reads a list of ids.
func scanIDs(rows *sql.Rows, err error) ([]int64, error) {
	var ids []int64
	err = each(rows, err, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
