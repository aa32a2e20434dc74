// Package judge holds scenarios to what they expect, over many runs of each.
//
// An expectation about one run has to hold in every run; one over many runs, such as
// p99(gap) < duration("31s"), is counted first and judged then. Both are a sweep: what
// an expectation looks at is a metric of package sweep, "it did not hold" is another,
// 0 or 1, and the run with the largest value of that is the first one that shows it. So
// the outcome is the same bytes for any number of workers.
//
// A run is judged by a brief (package explain). Only a run that shows a failure is made
// again, with its record, to say what it was that took so long.
package judge
