//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vpnsim/vpnsim/daemonconf"
	"github.com/vpnsim/vpnsim/topology"
)

// router is one in a trial: a namespace with a daemon in it.
type router struct {
	plan    *Plan
	index   int // in the design
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
	// watched counts the sessions of BFD that are Up.
	watched(*router) (int, error)

	// started is told when main has been, ended when it is gone: killed, or because it
	// was asked to.
	started(*router) error
	ended(*router)
	// quit asks it to end in an orderly way: without a word to those peers that it has
	// asked to keep its routes, with a CEASE to others.
	quit(*router) error

	// What an operator does: a session is shut, or started; the routes of a neighbour are
	// asked for again; a network is announced, or no longer; BGP's routes go into the
	// kernel, or no longer.
	session(r *router, neighbour string, start bool) error
	refresh(r *router, neighbour string) error
	originate(r *router, p netip.Prefix, announce bool) error
	propagate(r *router, on bool) error
}

// program with its arguments.
type program struct {
	path    string
	listens string // the socket that it has when others may look for it; empty: nobody does
	args    []string
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
		r.daemon = &frr{}
	case daemonconf.BIRD:
		r.daemon = &bird{}
	case daemonconf.GoBGP:
		r.daemon = &gobgp{}
	}
	return r.daemon.prepare(r)
}

// start the programs that are not running.
func (r *router) start() error {
	for _, p := range r.daemon.programs(r) {
		if old := r.running[p.name()]; old != nil && !old.ended() {
			continue
		}
		if p.listens != "" {
			os.Remove(p.listens) // of the process before it
		}
		started, err := r.led.start(r.space, filepath.Join(r.dir, p.name()+".out"), p.path, p.args...)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		r.running[p.name()] = started
		for end := time.Now().Add(5 * time.Second); p.listens != "" && !started.ended() && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(p.listens); err == nil {
				break
			}
		}
		if p.name() == r.daemon.main() {
			if err := r.daemon.started(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// signal what speaks BGP, if it runs.
func (r *router) signal(s syscall.Signal) {
	p := r.running[r.daemon.main()]
	if p == nil || p.ended() {
		return
	}
	p.signal(s)
	if s == syscall.SIGKILL {
		<-p.done
		r.daemon.ended(r)
	}
}

// quit ends what speaks BGP in an orderly way, and waits until it has.
func (r *router) quit() error {
	p := r.running[r.daemon.main()]
	if p == nil || p.ended() {
		return nil
	}
	err := r.daemon.quit(r)
	select {
	case <-p.done:
		r.daemon.ended(r)
	case <-time.After(5 * time.Second):
		err = errors.Join(err, fmt.Errorf("%s: %s does not end", r.name, r.daemon.main()))
	}
	return err
}

// restarter tells whether the router asks any of its peers to keep its routes while its
// process is away.
func (r *router) restarter() bool {
	for l := range r.plan.Design.Links {
		for e := range r.plan.Design.Links[l].Ends {
			end := &r.plan.Design.Links[l].Ends[e]
			if end.Router == r.index && end.BGP && end.Settings[topology.BGPGracefulRestart].Enum == "restarter" {
				return true
			}
		}
	}
	return false
}

// survives tells whether what the routing process has installed stays when it goes.
func (r *router) survives() bool {
	return r.plan.Design.Routers[r.index].Settings[topology.FIBSurvives].Bool
}

// lines of a configuration, without those that are like one.
func lines(conf []byte, drop string) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(conf) {
		if string(bytes.TrimRight(line, "\n")) != drop {
			b.Write(line)
		}
	}
	return b.Bytes()
}

// less is a list of networks without one of them.
func less(list []netip.Prefix, p netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(list), func(q netip.Prefix) bool { return q == p })
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

// answers is how long a daemon may take for what an operator asks of it. One that is
// frozen never answers.
const answers = 30 * time.Second

// tell runs a command of the operator's.
func (r *router) tell(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answers)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := r.space.inside(cmd.Start); err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	if err := cmd.Wait(); ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %s %s: no answer for %v", r.name, name, strings.Join(args, " "), answers)
	} else if err != nil {
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
