package live

import (
	"testing"
	"time"
)

// Of customer 1: solved after 2 and after 10 hours, the second opened again; 2,
// a visitor: one that waits since ten days. An event of a ticket that was never
// opened, and a rating off the scale.
const ticketStory = `
1 2026-01-01 -> Customer
1 2026-03-01T10:00 Ticket:Opened ticket=a
1 2026-03-01T12:00 Ticket:Solved ticket=a
1 2026-03-01T13:00 Ticket:Rated score=5 ticket=a
1 2026-03-02T10:00 Ticket:Opened ticket=b
1 2026-03-02T20:00 Ticket:Solved ticket=b
1 2026-03-03T10:00 Ticket:Reopened ticket=b
1 2026-03-03T11:00 Ticket:Rated score=2 ticket=b
1 2026-03-03T12:00 Ticket:Rated score=2.5 ticket=b
2 2026-01-01 -> Visit
2 2026-03-22 Ticket:Opened ticket=c @desk
2 2026-03-23 Ticket:Solved ticket=zzz
3 2026-01-01 Page:Viewed
`

func TestTickets(t *testing.T) {
	t.Parallel()
	people := told(t, ticketStory)
	r := answer(t, "tickets", "from:2026-03-01 to:2026-04-01", people)
	d := r.Data.(*TicketReport)
	if a := d.All; a.Tickets != 3 || a.People != 2 || a.Solved != 2 || a.Reopened != 1 || a.Median.Value != 10*time.Hour || a.P90.Known || a.CSAT.Hits != 1 || a.CSAT.Of != 2 {
		t.Errorf("all: %+v", a)
	}
	if !near(d.PerPerson.Value, 1, 1e-12) || len(d.Customers) != 2 || d.Customers[0].Hours != 6 || d.Customers[1].Open != 1 {
		t.Errorf("%+v", d)
	}
	if row := rowOf(t, r, "Tickets", "Customer"); row[1] != "2" || row[5] != "2.0" {
		t.Errorf("Customer: %v", row)
	}
	if row := rowOf(t, r, "Tickets", "Visit"); row[3] != "0" || row[5] != "not known" {
		t.Errorf("Visit: %v", row)
	}
	noted(t, r, "1 events are left out: their ticket was never told to be opened")
	noted(t, r, "1 ratings are left out")
	if d := answer(t, "tickets", "from:2026-03-02 to:2026-04-01", people).Data.(*TicketReport); d.All.Tickets != 2 || d.All.CSAT.Of != 1 {
		t.Errorf("later: %+v", d.All)
	}
	if d := answer(t, "tickets", "connection:desk", people).Data.(*TicketReport); d.All.Tickets != 1 {
		t.Errorf("of the desk: %+v", d.All)
	}
}

// Seven promoters, two passives and one detractor are an NPS of 60; three of
// four are satisfied; efforts of 2 and 5 have a mean of 3.5.
func TestSurveys(t *testing.T) {
	t.Parallel()
	story := "1 2025-01-01 -> Customer\n"
	for i, score := range []string{"9", "9", "10", "10", "9", "10", "9", "7", "8", "0"} {
		story += "1 2026-0" + number(1+i%2) + "-10 Survey:Answered kind=nps score=" + score + "\n"
	}
	story += `
2 2026-01-10 Survey:Answered kind=csat score=4
2 2026-01-11 Survey:Answered kind=csat score=5
2 2026-01-12 Survey:Answered kind=csat score=5
2 2026-01-13 Survey:Answered kind=csat score=1
2 2026-01-14 Survey:Answered kind=csat score=10
2 2026-01-14 Survey:Answered kind=nps score=-1
2 2026-01-14 Survey:Answered kind=nps score=8.5
2 2026-01-14 Survey:Answered kind=nps score=1e300
2 2026-01-14 Survey:Answered kind=nps
2 2026-01-14 Survey:Answered kind=ces score=2 @desk
2 2026-01-14 Survey:Answered kind=ces score=5
2 2026-01-14 Survey:Answered kind=quiz score=5
`
	people := told(t, story)
	r := answer(t, "surveys", "from:2026-01-01 to:2026-03-01", people)
	d := r.Data.(*SurveyReport)
	if d.All.NPS.Score != 60 || d.All.CSAT.Hits != 3 || d.All.CSAT.Of != 4 || !near(d.All.CES.Value, 3.5, 1e-12) {
		t.Errorf("%+v", d.All)
	}
	// January: 9, 10, 9, 9, 8: four of five; February: 9, 10, 10, 7, 0: 3 - 1 of 5.
	if d.Periods[0].NPS.Score != 80 || d.Periods[1].NPS.Score != 40 {
		t.Errorf("by month: %+v", d.Periods)
	}
	if row := rowOf(t, r, "By stage", "Customer"); row[2] != "10" || row[3] != "no answer" {
		t.Errorf("by stage: %v", row)
	}
	noted(t, r, "5 answers are left out")
	noted(t, r, "1 answers to surveys of other kinds")
	noted(t, r, "interval of the NPS is rough")
	if d := answer(t, "surveys", "connection:desk", people).Data.(*SurveyReport); d.All.CESAnswers != 1 || d.All.NPS.Known {
		t.Errorf("of the desk: %+v", d.All)
	}
}
