package lifecycle

import "encoding/binary"

// PlanVersionOf reads the version of the plan that an encoded profile was
// brought to last, without decoding the rest; false where the bytes are not of
// the present form.
func PlanVersionOf(b []byte) (int64, bool) {
	if len(b) == 0 || b[0] != codecVersion {
		return 0, false
	}
	_, n := binary.Varint(b[1:])
	if n <= 0 {
		return 0, false
	}
	version, m := binary.Varint(b[1+n:])
	return version, m > 0
}
