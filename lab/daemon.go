//go:build linux

package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vpnsim/vpnsim/daemonconf"
)

// router is one in a trial: a namespace with a daemon in it.
type router struct {
	name    string
	space   *space
	dir     string // the daemon's own
	led     *ledger
	config  daemonconf.Config
	daemon  speaker
	running map[string]*process // by program
}

// speaker is what is to be known of a daemon.
type speaker interface {
	// prepare is done once, when the files are written.
	prepare(*router) error
	// programs are started in this order.
	programs(*router) []program
	// main is the program that speaks BGP: what a fault happens to.
	main() string
	// up counts the sessions that are Established.
	up(*router) (int, error)
	// session is shut, or started, by the operator.
	session(r *router, neighbour string, start bool) error
}

// program with its arguments.
type program struct {
	path string
	args []string
}

func (p program) name() string { return filepath.Base(p.path) }

// configure writes the files.
func (r *router) configure() error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	for _, f := range r.config.Files {
		if err := os.WriteFile(filepath.Join(r.dir, f.Name), f.Content, 0o644); err != nil {
			return err
		}
	}
	switch r.config.Daemon {
	case daemonconf.FRR:
		r.daemon = frr{}
	case daemonconf.BIRD:
		r.daemon = bird{}
	}
	return r.daemon.prepare(r)
}

// start the programs that are not running.
func (r *router) start() error {
	for _, p := range r.daemon.programs(r) {
		if old := r.running[p.name()]; old != nil && !old.ended() {
			continue
		}
		started, err := r.led.start(r.space, filepath.Join(r.dir, p.name()+".out"), p.path, p.args...)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		r.running[p.name()] = started
	}
	return nil
}

// check tells whether a program has ended that should not.
func (r *router) check() error {
	for name, p := range r.running {
		if p.ended() {
			out, _ := os.ReadFile(filepath.Join(r.dir, name+".out"))
			return fmt.Errorf("%s: %s has ended: %s", r.name, name, lastWords(out))
		}
	}
	return nil
}

// lastWords of a program.
func lastWords(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}

// tell runs a command of the operator's.
func (r *router) tell(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := r.space.inside(cmd.Start); err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %s", r.name, name, err, lastWords(out.Bytes()))
	}
	return out.Bytes(), nil
}

// find is a program's path; daemons are not in everybody's PATH.
func find(name string, folders ...string) (string, error) {
	for _, f := range folders {
		path := filepath.Join(f, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return exec.LookPath(name)
}
