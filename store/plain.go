package store

import (
	"reflect"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// plain gives a slice of the domain's numbers or texts as one of int64 or
// string. The driver knows those by itself; other types it can only send after
// asking the server what a statement takes, which an address with
// default_query_exec_mode=exec, as PgBouncer may want, forbids.
func plain(v any) any {
	switch all := v.(type) {
	case []int64, []string, [][]byte:
		return v
	case []lifecycle.ProfileID: // those of the hot paths
		return int64s(all)
	case []lifecycle.Instant:
		return int64s(all)
	}
	from := reflect.ValueOf(v)
	if from.Kind() != reflect.Slice {
		return v
	}
	switch from.Type().Elem().Kind() {
	case reflect.Int64:
		to := make([]int64, from.Len())
		for i := range to {
			to[i] = from.Index(i).Int()
		}
		return to
	case reflect.String:
		to := make([]string, from.Len())
		for i := range to {
			to[i] = from.Index(i).String()
		}
		return to
	}
	return v
}

func int64s[T ~int64](all []T) []int64 {
	to := make([]int64, len(all))
	for i, v := range all {
		to[i] = int64(v)
	}
	return to
}
