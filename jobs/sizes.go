package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// sizesNote begins the name of the note of a day's sizes; the day follows, UTC.
const sizesNote = "sizes "

// sizesKept is for how many days sizes are kept.
const sizesKept = 400

// Sizes is how many people were in each segment at the end of a day, or are now.
type Sizes struct {
	Day      time.Time        `json:"-"` // its beginning, UTC
	Segments map[string]int64 `json:"segments"`
}

// Sizes gives the sizes of the days that are kept, the oldest first. There is
// no entry for a day on which nothing ran.
func (a *Admin) Sizes(ctx context.Context) ([]Sizes, error) {
	notes, err := a.Registry.o.Store.Notes(ctx, sizesNote)
	if err != nil {
		return nil, err
	}
	var all []Sizes
	for name, text := range notes {
		var one Sizes
		day, wrong := time.Parse(time.DateOnly, strings.TrimPrefix(name, sizesNote))
		if wrong = errors.Join(wrong, json.Unmarshal([]byte(text), &one)); wrong != nil {
			return nil, fmt.Errorf("jobs: %s: %w", name, wrong)
		}
		one.Day = day
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Sizes) int { return cmp.Compare(a.Day.Unix(), b.Day.Unix()) })
	return all, nil
}

// keepSizes notes how large segments are today: what stands at the last look of
// a day is the day's.
func keepSizes(ctx context.Context, s *store.Store, now time.Time) error {
	counters, err := s.Counters(ctx)
	if err != nil {
		return err
	}
	today := Sizes{Segments: map[string]int64{}}
	for name, n := range counters[""] {
		if segment, ok := strings.CutPrefix(name, "segment:"); ok && n > 0 {
			today.Segments[segment] = n
		}
	}
	text, err := encode(today)
	if err != nil {
		return err
	}
	name := sizesNote + now.UTC().Format(time.DateOnly)
	was, err := s.Note(ctx, name)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh || was == text {
		return err
	}
	if err := s.SetNote(ctx, name, text); err != nil || !fresh {
		return err
	}
	notes, err := s.Notes(ctx, sizesNote)
	if err != nil {
		return err
	}
	oldest := sizesNote + now.UTC().AddDate(0, 0, -sizesKept).Format(time.DateOnly)
	for old := range notes {
		if old < oldest { // days compare by their text
			err = errors.Join(err, s.DropNote(ctx, old))
		}
	}
	return err
}
