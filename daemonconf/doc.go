// Package daemonconf writes the configuration of a real routing daemon (FRR,
// BIRD or GoBGP) for a router of a scenario, and says what the daemon cannot
// be told.
//
// A simulated router has more settings than any daemon: some are the daemon's
// nature (how long it takes to install a route), some belong to other programs
// (IPsec, the kernel's TCP), some are coarser in the daemon (whole seconds, one
// value for all neighbours). Nothing of that is lost silently. Each of
// topology's keys is either written into the configuration, or compared with
// what the daemon does anyway, which is what the daemon's own profile says of
// it (profiles frr, bird, gobgp); where the two differ, the Config lists the
// path, the scenario's value, and what the daemon will do instead.
//
//	config.go   what goes in and comes out
//	session.go  a router as its daemon sees it: sessions, names, addresses
//	cannot.go   what the daemon cannot express
//	policy.go   import and export policy, as all three are to have it
//	frr.go …    one file for each daemon's language
//
// The output is a function of the scenario alone: the same bytes everywhere.
package daemonconf
