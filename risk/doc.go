// Package risk says how often a design drops sessions although nothing has failed: false
// alarms of hold timers, BFD and dead peer detection, in a year of one tunnel. It is the other side
// of every timer that makes a failover fast.
//
// The scenario runs without its story. Four ways lead to a number, and every number says which one
// it took:
//
//   - simulation: runs of an hour, and what is dropped in them is counted. The interval is Garwood's,
//     exact for counts of events that do not know of each other. Where few are seen, that says
//     little: no drop in 100 tunnel-hours is anything up to 323 a year.
//   - importance sampling: where losses are independent of each other, packets are lost more often than they should
//     in short windows, and runs are weighed by how much more likely they were made (network.Tilt).
//   - splitting: where losses come in bursts, or are many, a drop is a longer and longer silence. Runs that come to a
//     silence of some length are gone on from there many times with other random numbers, and so
//     on from length to length until there is a drop; the probability is the product of the
//     shares that got from one to the next (fixed-effort splitting; Glasserman, Heidelberger, Shahabuddin
//     and Zajic, Operations Research 47, 1999). The whole is repeated, and the interval is
//     Student's over the repetitions.
//   - stalls made frequent: a router's stalls do not know of each other, so the drops of a year are the
//     stalls of a year times the drops of a stall. Stalls that are rare are simulated at shorter distances.
//
// If nothing can be lost or stall, and no delay is long enough to matter, the answer is none, and
// that is exact.
package risk
