// Package expect checks what a scenario expects of a run: expressions such as
//
//	gap.outage <= duration("30.5s")
//	best("gcp", "10.2.0.0/16", end).tunnel == "tun1"
//	all(gaps, .lost <= 31) && blame == "routers.aws.bgp.hold"
//
// An expression is typed. Compile refuses what cannot mean anything: an
// unknown name, a duration compared with a bare number, and an expression that
// looks at nothing of the run and so could never fail. Check refuses names of
// routers, links and prefixes that the scenario does not have. Both point at
// the column. Eval says whether the expression held, and what was seen.
package expect
