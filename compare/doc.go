// Package compare says what a change of a design does. Two designs, A and B, run with
// the same seeds, and what is random in one is the same in the other where the change does
// not touch it (common random numbers): so runs come in pairs, and most of what makes
// outages differ from run to run is the same on both sides of a pair. A change that does
// nothing then shows as runs that are identical to the nanosecond, not as a small number
// that might be noise.
//
// # When there is a difference
//
// Where not all pairs are identical, whether the distributions differ is asked with a test
// that swaps partners (stats.SwapTest), for each metric, and P is adjusted for the
// number of metrics (Holm): no more than 5 % of the changes that change nothing are called
// different. The test does not need the pairs to be alike, nor to be independent: a change
// that gives a tunnel another name draws other numbers, and nothing else is different.
//
// How much a quantile moved has an interval for any distribution that makes use of the
// pairs (stats.PairedQuantileShift). A condition that fails a build has to be met by the
// estimate, and the interval must exclude that nothing changed.
//
// # Why
//
// Where there is a difference, both sides of a typical run that changed, and of those in which the
// longest outage grew and shrank most, are explained, and their chains of waits are put side by side: which wait became
// longer, and which parameter it is about.
package compare
