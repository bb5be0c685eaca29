package surveymonkey

import (
	"slices"
	"strings"
)

// maxCommentRunes bounds the comment that a record carries.
const maxCommentRunes = 2000

// email gives the address that the person wrote into a question for one.
func (f *form) email(r *response) string {
	for _, p := range r.Pages {
		for _, q := range p.Questions {
			known := f.questions[string(q.ID)]
			for _, a := range q.Answers {
				if known != nil && (known.email || known.emailRows[string(a.RowID)]) && a.Text != "" {
					return a.Text
				}
			}
		}
	}
	return ""
}

// answers gives the answers by question id: the words of the choices and what
// was written, in order.
func (f *form) answers(r *response) map[string][]string {
	all := map[string][]string{}
	for _, p := range r.Pages {
		for _, q := range p.Questions {
			known := f.questions[string(q.ID)]
			for _, a := range q.Answers {
				words := a.Text
				if known != nil && a.ChoiceID != "" && words == "" {
					words = known.choices[string(a.ChoiceID)].text
				}
				if words != "" {
					all[string(q.ID)] = append(all[string(q.ID)], words)
				}
			}
		}
	}
	return all
}

// score gives the answer to the net promoter question: the one of the setting,
// else the first that is one.
func (f *form) score(r *response, wanted string) (int, bool) {
	for _, id := range f.order {
		q := f.questions[id]
		if id != wanted && (wanted != "" || !q.nps) {
			continue
		}
		for _, p := range r.Pages {
			for _, got := range p.Questions {
				if string(got.ID) != id {
					continue
				}
				for _, a := range got.Answers {
					if ch := q.choices[string(a.ChoiceID)]; ch.scored {
						return ch.score, true
					}
					if n, ok := scoreOf(a.Text, nil); ok && a.Text != "" {
						return n, true
					}
				}
			}
		}
	}
	return 0, false
}

// comment gives what was written freely: the answer to the question of the
// setting, else to the first open one with a field of several lines.
func (f *form) comment(r *response, wanted string) string {
	for _, id := range f.order {
		q := f.questions[id]
		if id != wanted && (wanted != "" || q.family != "open_ended" || q.subtype != "essay") {
			continue
		}
		if words := f.answers(r)[id]; len(words) > 0 {
			return cutRunes(strings.Join(slices.Compact(words), " "), maxCommentRunes)
		}
	}
	return ""
}

func cutRunes(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}
