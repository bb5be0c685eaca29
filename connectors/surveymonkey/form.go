package surveymonkey

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of what is kept of surveys. A survey is read again when an answer
// names something in it that is not known, and otherwise once in a while.
const (
	formAge    = 6 * time.Hour
	formMinAge = time.Minute
	maxForms   = 500
)

// form is a survey's questions.
type form struct {
	title     string
	questions map[string]*question
	order     []string // ids as they stand in the survey
	read      time.Time
}

// question is what is needed to understand the answers to one.
type question struct {
	family, subtype string
	heading         string
	email           bool            // asks for an address
	emailRows       map[string]bool // rows that ask for one
	choices         map[string]choice
	// nps is set for one row of choices that stand for 0 to 10.
	nps bool
}

type choice struct {
	text   string
	score  int // 0 to 10
	scored bool
}

// surveyDetails is the answer to GET /surveys/{id}/details.
type surveyDetails struct {
	Title string `json:"title"`
	Pages []struct {
		Questions []struct {
			ID       text   `json:"id"`
			Family   string `json:"family"`
			Subtype  string `json:"subtype"`
			Headings []struct {
				Heading string `json:"heading"`
			} `json:"headings"`
			Validation *struct {
				Type string `json:"type"`
			} `json:"validation"`
			Answers struct {
				Choices []struct {
					ID     text     `json:"id"`
					Text   string   `json:"text"`
					Weight *float64 `json:"weight"`
					NA     bool     `json:"is_na"`
				} `json:"choices"`
				Rows []struct {
					ID   text   `json:"id"`
					Text string `json:"text"`
					Type string `json:"type"`
				} `json:"rows"`
				Other *struct {
					ID text `json:"id"`
				} `json:"other"`
			} `json:"answers"`
		} `json:"questions"`
	} `json:"pages"`
}

// forms keeps the surveys that were read.
type forms struct {
	api *api
	now func() time.Time

	mu    sync.Mutex
	known map[string]*form
}

// of gives a survey, for an answer that names the given choices. One caller at
// a time asks the vendor; the others mostly want the same survey.
func (f *forms) of(ctx context.Context, survey string, r *response) (*form, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.known[survey]
	if known != nil {
		age := f.now().Sub(known.read)
		if age < formMinAge || age < formAge && known.explains(r) {
			return known, nil
		}
	}
	var d surveyDetails
	if err := f.api.call(ctx, "read a survey", http.MethodGet, "/surveys/"+survey+"/details", nil, &d); err != nil {
		return nil, err
	}
	read := d.form()
	read.read = f.now()
	if len(f.known) >= maxForms {
		clear(f.known)
	}
	f.known[survey] = read
	return read, nil
}

// explains reports whether all that an answer names is known.
func (f *form) explains(r *response) bool {
	for _, p := range r.Pages {
		for _, q := range p.Questions {
			known := f.questions[string(q.ID)]
			if known == nil {
				return false
			}
			for _, a := range q.Answers {
				if _, ok := known.choices[string(a.ChoiceID)]; a.ChoiceID != "" && !ok {
					return false
				}
			}
		}
	}
	return true
}

// form sorts the answer into what is asked of it later.
func (d *surveyDetails) form() *form {
	f := &form{title: d.Title, questions: map[string]*question{}}
	for _, p := range d.Pages {
		for _, in := range p.Questions {
			q := &question{family: in.Family, subtype: in.Subtype, emailRows: map[string]bool{}, choices: map[string]choice{}}
			if len(in.Headings) > 0 {
				q.heading = in.Headings[0].Heading
			}
			q.email = in.Validation != nil && in.Validation.Type == "email"
			for _, r := range in.Answers.Rows {
				if r.Type == "email" {
					q.emailRows[string(r.ID)] = true
				}
			}
			scores := map[int]bool{}
			for _, in := range in.Answers.Choices {
				ch := choice{text: in.Text}
				if !in.NA {
					ch.score, ch.scored = scoreOf(in.Text, in.Weight)
				}
				if ch.scored {
					scores[ch.score] = true
				}
				q.choices[string(in.ID)] = ch
			}
			q.nps = in.Family == "matrix" && in.Subtype == "rating" && len(in.Answers.Rows) <= 1 && len(scores) == 11
			f.questions[string(in.ID)] = q
			f.order = append(f.order, string(in.ID))
		}
	}
	return f
}

// scoreOf reads what a choice stands for on a scale from 0 to 10: the number
// that its text begins with, else its weight. The text comes first, since the
// weights of a net promoter question may be those of its three groups.
func scoreOf(label string, weight *float64) (score int, ok bool) {
	digits := label
	if i := strings.IndexFunc(label, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = label[:i]
	}
	if n, err := strconv.Atoi(digits); err == nil && n <= 10 {
		return n, true
	}
	if weight != nil && *weight >= 0 && *weight <= 10 && *weight == float64(int(*weight)) {
		return int(*weight), true
	}
	return 0, false
}
