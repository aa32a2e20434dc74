// Package measured holds results of labs against predictions that are made anew.
//
// A result says what it takes to build its plan again: the scenario, its settings, who
// played which router, and for how long a trial was measured. So the prediction that
// it is compared with is never the one that was printed beside it: a change of the engine
// or of a profile shows without a lab, and results are worth keeping.
//
//	merge.go   results of one case become one, each trial once
//	predict.go the case, simulated: what its ping would count, and when routes change
//	judge.go   do the two agree? Tests, intervals, the goal, and the answer in words
//	events.go  event by event: whose routes changed when, and which timer that takes
//	together.go  many cases taken together: what each is too small to show
//
// # When a case agrees
//
// A gap is what a ping counts, on both sides: probes lost in a row, times the interval. Ties are
// the rule then, and all tests are valid with ties. They ask whether there is a difference of
// more than 0.3 s, so that small ones that are plain need not be explained. Three are made of each case: of the
// share of runs without a gap worth the name (Fisher), and of the gaps of the others, of
// the distribution as a whole (Kolmogorov and Smirnov) and of its location (Mann and Whitney). Holm
// corrects for all tests of all cases together, so that with probability 99 % or more
// none of the cases that agree is rejected.
//
// Not being rejected is cheap with few trials. So there is a goal besides: the medians differ by no
// more than 3 % or 0.3 s, and no measured gap lies outside the range of the predicted ones, by
// more than an interval of the ping and 0.1 s. A case that meets the goal agrees. One that is rejected, or that
// leaves the range, disagrees. What is left are medians that differ by more than that, as
// they would by chance: this is said, too, and more trials will tell.
package measured
