package jobs

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// asynqQuiet is how long asynq's warnings are counted after one was written.
const asynqQuiet = 10 * time.Second

// asynqLog hands asynq's own words to our log. While Redis is away every server
// of every lane complains several times a second, so a warning is written at
// most once in asynqQuiet, with how many were held back before it.
type asynqLog struct {
	log  *slog.Logger
	now  func() time.Time
	mu   sync.Mutex
	next time.Time
	held int
}

func (l *asynqLog) warn(args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Before(l.next) {
		l.held++
		return
	}
	l.log.Warn("asynq", "message", fmt.Sprint(args...), "held_back", l.held)
	l.next, l.held = now.Add(asynqQuiet), 0
}

func (l *asynqLog) Debug(args ...any) { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l *asynqLog) Info(args ...any)  { l.log.Debug("asynq", "message", fmt.Sprint(args...)) }
func (l *asynqLog) Warn(args ...any)  { l.warn(args) }
func (l *asynqLog) Error(args ...any) { l.warn(args) }
func (l *asynqLog) Fatal(args ...any) { l.log.Error("asynq", "message", fmt.Sprint(args...)) }
