package main

import "runtime/debug"

// version is what the Go tool knows about this build: a release, or a commit
// when it was built in a repository.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
