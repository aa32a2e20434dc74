// Package stats is the arithmetic of many runs: exact histograms, quantiles with
// intervals that hold for any distribution, shares, paired differences, tests of
// two samples, and sensitivity indices. It knows nothing of networks.
//
// # Counting instead of keeping
//
// A sample of a million outages is kept as a Histogram of integers: how many
// fell into each bin of a millisecond. Adding integers is commutative and
// exact, so a histogram is the same bytes whoever counted which part, in which
// order, and takes no more memory for more runs.
//
// # Intervals without assumptions
//
// Outages are anything but normal: the seed's case is half a spike at nothing
// and half uniform between 20 and 30 seconds. So the intervals here assume
// nothing about the distribution but that runs are independent: those of
// quantiles come from order statistics (the number of values below a quantile is
// binomial), those of shares are Clopper's and Pearson's. Both are conservative:
// they cover at least what they say, and a test checks by how much more. What the
// sample is too small for is said, not made up: the upper end of an interval
// of the 99th percentile of 100 runs is unknown.
package stats
