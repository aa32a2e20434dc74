// Package explain runs a scenario with a record of every event, and works out
// from the record what a user wants to know: which probes were lost, how long
// the outage really was, which waits made it that long, which suspects had
// nothing to do with it, and what would have happened otherwise.
//
// An outage is explained by going backwards from the event that ended it:
// each event knows the event that scheduled it, and what lies between the two
// is a wait with a name. Those waits follow each other without a gap, so that,
// cut off at the moment when the outage began, they add up to it exactly.
//
// What did not matter and what would have helped is not argued but tried: the
// same scenario with the same seed runs again with one value changed.
package explain
