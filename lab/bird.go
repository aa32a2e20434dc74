//go:build linux

package lab

import (
	"fmt"
	"path/filepath"
	"strings"
)

// bird is BIRD 2: one process.
type bird struct{}

// birdFolders is where packages put it.
var birdFolders = []string{"/usr/sbin", "/usr/local/sbin"}

func (bird) prepare(*router) error { return nil }

func (bird) programs(r *router) []program {
	path, err := find("bird", birdFolders...)
	if err != nil {
		path = "bird"
	}
	in := func(file string) string { return filepath.Join(r.dir, file) }
	return []program{{path, []string{"-f", "-c", in("bird.conf"), "-s", in("bird.ctl"), "-P", in("bird.pid")}}}
}

func (bird) main() string { return "bird" }

func (bird) tell(r *router, words ...string) (string, error) {
	path, err := find("birdc", birdFolders...)
	if err != nil {
		return "", err
	}
	out, err := r.tell(path, append([]string{"-s", filepath.Join(r.dir, "bird.ctl")}, words...)...)
	return string(out), err
}

func (b bird) up(r *router) (int, error) {
	out, err := b.tell(r, "show", "protocols")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, line := range strings.Split(out, "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[1] == "BGP" && f[len(f)-1] == "Established" {
			n++
		}
	}
	return n, nil
}

func (b bird) session(r *router, neighbour string, start bool) error {
	word := "disable"
	if start {
		word = "enable"
	}
	protocol := ""
	for _, line := range strings.Split(string(r.config.Files[0].Content), "\n") {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "protocol" && f[1] == "bgp" {
			protocol = f[2]
		} else if len(f) > 1 && f[0] == "neighbor" && f[1] == neighbour {
			_, err := b.tell(r, word, protocol)
			return err
		}
	}
	return fmt.Errorf("%s has no session with %s", r.name, neighbour)
}
