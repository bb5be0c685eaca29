package jobs

import (
	"context"

	"github.com/stagebridge/stagebridge/store"
)

// searchPage is how many raw events the search looks at in one go.
const searchPage = 500

// search looks through everything else that holds texts for whoever was
// erased: raw events that came to nothing or tell of others too, and the words
// of outcomes, pushes, long work and changes. It goes by the hashes, so it
// finds addresses, phone numbers with a country code, and ids of letters and
// digits; of a vendor's own numbers those in what that connection told.
func (x *Eraser) search(ctx context.Context, t *Task) (Removed, error) {
	if err := x.Processor.Registry.Refresh(ctx); err != nil {
		return Removed{}, err
	}
	s, b := x.Processor.Store, x.Processor.Registry.Config().Blocks
	r := Removed{Found: map[string]int64{}}
	var looked int64
	for after := int64(0); ; {
		var found []int64
		last, err := s.RawTexts(ctx, after, searchPage, func(raw *store.RawText) {
			looked++
			for _, text := range raw.Texts {
				if b.names(text, raw.Connection, raw.At) {
					if raw.Pending {
						r.Waiting++
					} else {
						found = append(found, raw.ID)
					}
					return
				}
			}
		})
		if err != nil {
			return r, err
		}
		n, err := s.EraseRows(ctx, found)
		if err != nil {
			return r, err
		}
		if n > 0 {
			r.Found["raw_events"] += n
		}
		if last == 0 {
			break
		}
		after = last
		if err := t.At(looked, 0, nil); err != nil {
			return r, err
		}
	}
	blanked, mend, err := s.EraseTexts(ctx, func(text string) bool { return b.names([]byte(text), "", 0) })
	if err != nil {
		return r, err
	}
	for table, n := range blanked {
		r.Found[table] += n
	}
	r.Mend = mend
	return r, nil
}
