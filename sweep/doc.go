// Package sweep runs a scenario many times: with many seeds, at many points of a grid
// of settings. It counts; what the counts mean is said by package report with the
// arithmetic of package stats.
//
// # Blocks
//
// The seeds of a Plan are divided into blocks. A block is the unit of everything: a
// worker takes one, runs all points with each of its seeds, and gives back a histogram for each
// point and metric. All points share the seeds, so that what is random in one run is the
// same in its sibling (common random numbers), and the difference between the two is
// counted pair by pair.
//
// Histograms of integers are added in any order to the same sum. So the result does
// not depend on how many workers there were, on which of them was fast, on whether a
// sweep was interrupted and resumed, or on how many machines shared it: each writes the
// blocks that it has done into a file (a Part), and parts are merged. The memory of a
// sweep grows with the number of different outages in milliseconds, not with the number
// of runs.
//
// # Stopping
//
// A plan has a number of runs, or a precision: then it doubles the runs until the
// interval of the quantile that was asked for is narrow enough at every point. It looks
// only when a doubling is complete, so that this does not depend on workers either.
package sweep
