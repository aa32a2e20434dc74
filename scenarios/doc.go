// Package scenarios reads and checks scenario files, and holds the ones that
// ship with the program.
//
// A scenario is one YAML file: routers and the profile that each behaves
// like, hosts, links and tunnels, probes, a story of faults, and what is
// expected of the outcome. Load turns its bytes into a topology.Design in
// which every value knows the line that set it, or says everything that is
// wrong with it at once, each with its place and what to do. The steps:
//
//	parse.go     bytes to a tree of YAML nodes; what is no scenario stops here
//	set.go       --set path=value edits the tree, so that a value given on the
//	             command line is read and checked like one in the file
//	read.go      small readers: an object whose keys are taken one by one, a
//	             name, a duration; each reports what it cannot read and goes on
//	load.go      the tree to a Design, with settings.go, links.go and story.go
//	topology.Validate   what is wrong with the design as a whole
//	lint.go      what is allowed, but probably not meant
//
// The package reads no files and imports nothing that could: whoever has the
// bytes passes them in.
package scenarios
