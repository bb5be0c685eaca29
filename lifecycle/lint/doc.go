// Package lint gives advice about tracking plans that can be published but may
// not do what was meant, or that will be hard to live with: names that do not
// follow the form Category:Name, two names for one thing, values inside names,
// events that nobody sends or reads, and what came in without being planned.
//
// Plan.go says what is looked at, names.go and similar.go how names are judged.
// Everything here is pure; what is known beyond the plan is passed as Facts.
package lint
