package scenarios

import (
	"embed"
	"errors"
	"slices"
	"strings"
)

//go:embed *.yaml *.txt
var files embed.FS

//go:embed seed-failover.ping
var seedPing []byte

// SeedPing is the log of the ping that the seed's case comes from, and the name of
// its file.
func SeedPing() (name string, log []byte) { return "seed-failover.ping", seedPing }

// BuiltinFile returns a file that a shipped scenario names.
func BuiltinFile(name string) ([]byte, error) {
	data, err := files.ReadFile(name)
	if err != nil {
		return nil, errors.New("no such file ships with the program")
	}
	return data, nil
}

// Builtin returns a scenario that ships with the program, by its name with or
// without ".yaml".
func Builtin(name string) ([]byte, bool) {
	data, err := files.ReadFile(strings.TrimSuffix(name, ".yaml") + ".yaml")
	return data, err == nil
}

// BuiltinNames lists them, the seed's case first.
func BuiltinNames() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // cannot happen: the directory is in the program
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok { // not a file that one of them names
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
