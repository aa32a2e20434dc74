// Package lab runs a scenario on real routing daemons and measures what the
// simulation predicts.
//
// Every router of the scenario becomes a network namespace with FRR, BIRD or
// GoBGP in it, every host one from which the real ping is sent. What joins routers is a
// pair of TUN devices between which this program carries packets (wire.go), so
// that a tunnel can swallow packets, lose some, or lose one of its ends while
// the other end sees nothing, as in a cloud. The story's faults are done for
// real: an interface goes away, a process is killed or stopped, an operator
// shuts a session. What is measured is what ping has printed, and when the
// kernel's route tables changed.
//
//	plan.go    which daemon is which router, and what cannot be done
//	rig.go     namespaces, links, hosts and daemons of one trial
//	daemon.go  what there is to do with any daemon; frr.go, bird.go, gobgp.go: with each
//	installer.go  the kernel routes that GoBGP does not have
//	ipsec.go   what a tunnel's settings mean to strongSwan
//	ikeend.go  one end of a tunnel with IPsec; charon.go: the daemon that makes it
//	trial.go   one trial: come up, settle, story, ping
//	age.go     how old the last KEEPALIVE is when the story begins
//	watch.go   changes of the kernel's route tables
//	tap.go     packets of BGP as they pass a router; messages.go: what is in them
//	predict.go the same scenario, simulated, with the daemons' profiles
//	run.go     many trials, and measured beside predicted
//	matrix.go  a list of many cases
//	ledger.go  what a run has made, for whoever has to clean up after it
//	rootless.go  the same for who is not root
//	doctor.go  what the machine has and lacks
//
// No namespace is connected to anything but the others of its trial, and
// nothing is done in the namespace that the program was started in.
package lab
