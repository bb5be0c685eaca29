package lifecycle

// decays writes the scores that fade.
func (w *encoder) decays(list []decayed) {
	w.size(len(list))
	for i := range list {
		d := &list[i]
		w.text(d.Score)
		w.instant(d.At)
		w.int(int64(d.Steady))
		w.size(len(d.Worth))
		for _, x := range d.Worth {
			w.text(string(x.Event))
			w.int(int64(x.Points))
		}
	}
}

func (r *decoder) decays() []decayed {
	n := r.size(4)
	if n == 0 {
		return nil
	}
	list := make([]decayed, n, n+1)
	for i := range list {
		d := &list[i]
		d.Score, d.At, d.Steady = r.text(), r.instant(), r.points()
		if i > 0 && d.Score <= list[i-1].Score {
			r.fail()
		}
		if n := r.size(2); n > 0 {
			d.Worth = make([]worth, n, n+1)
			for j := range d.Worth {
				d.Worth[j] = worth{EventName(r.text()), r.points()}
				if j > 0 && d.Worth[j].Event <= d.Worth[j-1].Event {
					r.fail()
				}
			}
		}
	}
	return list
}

// points reads a number that a sum of many leaves within bounds.
func (r *decoder) points() points {
	p := points(r.int())
	if p > 2*MaxScoreRules*mostHeld || p < -2*MaxScoreRules*mostHeld {
		r.fail()
		return 0
	}
	return p
}
