// Package pinglog reads what ping programs print, and finds out which probes
// were answered, how far apart they were sent, and between which bounds each
// outage must have lasted. It owns the grammar of the logs and nothing else: it
// knows no scenario, no clock and no file system, and what a gap means is for
// package fit to say.
//
// A log is evidence that somebody kept, not a document that somebody wrote: it
// was cut out of a terminal, its lines are in the user's language, its last
// line is half a line. So a line that says nothing about a probe is skipped
// and counted, never an error; what cannot be a ping's log at all (binary, too
// long, not one probe in it) is refused with its place.
//
// n probes lost in a row, sent an interval I apart, mean that the outage was
// longer than (n-1)I, because the first and the last of them met it, and
// shorter than (n+1)I, because their neighbours did not. That interval is all
// that one gap says, and everything that is computed from it says no more.
package pinglog
