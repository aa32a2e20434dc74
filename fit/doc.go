// Package fit asks which mechanism explains what a real ping has seen. It
// takes logs (pinglog) and a scenario, has every rival mechanism simulated many
// times, and compares how often each of them would have shown just that.
//
// # Likelihood
//
// A gap is n probes lost in a row. The likelihood of a mechanism is the share of
// its runs in which a ping at the log's interval loses exactly n in a row; the
// ping's phase is drawn for each run, since whoever started it did not know when
// the tunnel would be deleted. A try that was "instant" is one in which fewer than
// a few were lost. Tries are independent, so their likelihoods multiply. Shares
// have Clopper's and Pearson's intervals, each so wide that all of them hold
// together; that no run showed a gap is an upper bound, not a zero.
//
// # A fair chance
//
// Most rivals are the user's scenario with one mechanism left in charge: the
// hold timer, dead peer detection, BFD, a peer that is told. MRAI often cannot
// act there at all, since nobody waits for an advertisement; whether it can is
// tried, by comparing runs with and without it to the nanosecond. Its likelihood is
// then taken from small scenarios in which it does act (mrai-tick, mrai-chain), so
// that it is ruled out by two separate arguments and the reader sees both.
//
// # Paths
//
// Where the path of the end that is not told may have used the failed link or
// not, the runs are parted by it: only those that did can show a long gap, and the
// others are the "instant" tries. A rival that has a path in its name is about the
// one part, "path drawn" about all.
package fit
