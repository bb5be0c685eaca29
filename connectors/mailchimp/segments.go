package mailchimp

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// segmentPage and maxSegmentPages bound the listing of an audience's tags.
const (
	segmentPage     = 1000
	maxSegmentPages = 20
)

// tagSegments knows the static segments that tags are, by name in lower case:
// Mailchimp may change the case of a tag.
type tagSegments struct {
	api *api

	mu  sync.Mutex
	ids map[string]int64 // nil: not read yet
}

// find gives the id for each of the names that exist, making those in create.
func (s *tagSegments) find(ctx context.Context, names, create []string) (map[string]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.all(names) {
		ids, err := s.read(ctx)
		if err != nil {
			return nil, err
		}
		s.ids = ids
	}
	for _, name := range create {
		if _, ok := s.ids[strings.ToLower(name)]; ok {
			continue
		}
		var made segment
		err := s.api.call(ctx, "create a tag", http.MethodPost, s.api.list("segments"), segmentCreate{Name: name, Static: []string{}}, &made)
		if err != nil {
			return nil, err
		}
		s.ids[strings.ToLower(name)] = made.ID
	}
	found := map[string]int64{}
	for _, name := range names {
		if id := s.ids[strings.ToLower(name)]; id != 0 {
			found[name] = id
		}
	}
	return found, nil
}

func (s *tagSegments) all(names []string) bool {
	for _, name := range names {
		if _, ok := s.ids[strings.ToLower(name)]; !ok {
			return false
		}
	}
	return true
}

func (s *tagSegments) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = nil
}

func (s *tagSegments) read(ctx context.Context) (map[string]int64, error) {
	ids := map[string]int64{}
	for page := range maxSegmentPages {
		var answer struct {
			Segments []segment `json:"segments"`
		}
		path := fmt.Sprintf("%s?type=static&count=%d&offset=%d&fields=segments.id,segments.name", s.api.list("segments"), segmentPage, page*segmentPage)
		if err := s.api.call(ctx, "list tags", http.MethodGet, path, nil, &answer); err != nil {
			return nil, err
		}
		for _, seg := range answer.Segments {
			ids[strings.ToLower(seg.Name)] = seg.ID
		}
		if len(answer.Segments) < segmentPage {
			break
		}
	}
	return ids, nil
}
