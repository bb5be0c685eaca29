package expression

import "errors"

// Limits of one run, which may be over several programs: see Machine.
const (
	// MaxSteps is how many nodes of the syntax tree all loops of a run may
	// evaluate; work on long texts and lists counts as steps too.
	MaxSteps = 1_000_000
	// MaxBytes is how many bytes of new texts, lists and maps a run may make.
	MaxBytes = 4 << 20
)

const (
	maxValueDepth  = 1000 // nesting of a value that is compared or joined
	maxNumberBytes = 400  // a longer text is not a number
	textPerStep    = 32   // bytes of a text that count as one step
	bytesPerItem   = 32   // what one item of a new list counts
	bytesPerEntry  = 96   // what one entry of a new map counts
)

// ErrBudget marks an error of a program that used up its steps or bytes.
var ErrBudget = errors.New("expression: used too much time or memory")

var (
	errSteps = limitError("does too much work; the limit is a million steps")
	errBytes = limitError("makes too long a text or list; the limit is 4 MiB")
	errDepth = limitError("works on a value that is nested too deeply")
)

// limitError is a message that is also ErrBudget.
type limitError string

func (e limitError) Error() string        { return string(e) }
func (e limitError) Is(target error) bool { return target == ErrBudget }

// Machine runs programs and holds what is left of the budget that they share.
// The zero value has no budget: use NewMachine or Reset. Not safe for
// concurrent use; keep one per goroutine and Reset it between runs.
type Machine struct {
	steps, bytes int
	env          []any
	slots        []any // let variables
	loops        [maxLoops]loop
	args         []any // arguments of the calls in progress
	trace        func(path string, value any)
}

// loop is the state of one predicate: # is item, #index index, #acc acc.
type loop struct {
	item  any
	index int
	acc   any
}

// NewMachine gives a machine with a full budget.
func NewMachine() *Machine {
	m := &Machine{}
	m.Reset()
	return m
}

// Reset fills the budget and forgets the values of the last run.
func (m *Machine) Reset() {
	m.steps, m.bytes = MaxSteps, MaxBytes
	m.env, m.trace = nil, nil
	clear(m.slots)
	clear(m.args[:cap(m.args)])
	m.loops = [maxLoops]loop{}
}

// Trace calls f with each member path that programs read from now on and the
// value found, until Reset. A path read in a loop is told once per round.
func (m *Machine) Trace(f func(path string, value any)) { m.trace = f }

// Grow counts n bytes that a function makes. A Func must call it before it
// makes them.
func (m *Machine) Grow(n int) error {
	m.bytes -= n
	if n < 0 || m.bytes < 0 {
		m.bytes = 0
		return errBytes
	}
	return nil
}

// step counts n steps.
func (m *Machine) step(n int) error {
	m.steps -= n
	if n < 0 || m.steps < 0 {
		m.steps = 0
		return errSteps
	}
	return nil
}

// work counts the steps of looking at n bytes.
func (m *Machine) work(n int) error { return m.step(n/textPerStep + 1) }
