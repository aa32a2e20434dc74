//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Whatever a run makes stands in its folder before it is used: the program's own process
// and those that it has started, each with the moment when it began, since numbers of
// processes are used again. Namespaces have the folder's name in theirs. So a run that
// was killed can be cleaned up after, without touching anything that is not its own.

// runsFolder is where runs keep their folders. It is gone when the machine restarts, as
// is everything that the folders are about.
const runsFolder = "/run/vpnsim-lab"

// processesFile lists a run's processes, its owner first.
const processesFile = "processes"

// ledger is a run's own.
type ledger struct {
	run string // vpnsim-1234-1: what everything of this run is called
	dir string

	mu sync.Mutex

	coming chan struct{} // trials that are coming up
}

// newLedger makes the folder of a run.
func newLedger() (*ledger, error) {
	if err := os.MkdirAll(runsFolder, 0o755); err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		l := &ledger{run: fmt.Sprintf("vpnsim-%d-%d", os.Getpid(), n)}
		l.dir = filepath.Join(runsFolder, l.run)
		err := os.Mkdir(l.dir, 0o755)
		if os.IsExist(err) {
			continue
		}
		if err == nil {
			err = l.note(os.Getpid())
		}
		return l, err
	}
}

// note writes down a process.
func (l *ledger) note(pid int) error {
	began, err := beginning(pid)
	if err != nil {
		return nil // it has ended already
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(l.dir, processesFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "%d %s\n", pid, began)
	return f.Close()
}

// close removes the folder.
func (l *ledger) close() { os.RemoveAll(l.dir) }

// beginning of a process, by the kernel's clock: field 22 of its stat, counted behind
// the name, which may have anything in it.
func beginning(pid int) (string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("process %d has no beginning", pid)
	}
	if fields[0] == "Z" {
		return "", fmt.Errorf("process %d has ended", pid)
	}
	return fields[19], nil
}

// process is one that a run has started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// start runs a program in a namespace. What it prints goes to a file.
func (l *ledger) start(s *space, output string, program string, args ...string) (*process, error) {
	f, err := os.OpenFile(output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = f, f, l.dir
	p.cmd.Env = append(os.Environ(), "LC_ALL=C")
	// Ctrl-C in a terminal is for vpnsim, which ends the others in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.inside(p.cmd.Start); err != nil {
		return nil, err
	}
	if err := l.note(p.cmd.Process.Pid); err != nil {
		p.cmd.Process.Kill()
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// signal it, if it is still there.
func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop ends it: by asking, and if that does not help, at once. A process that was
// stopped hears nothing else.
func (p *process) stop(ask syscall.Signal) {
	if ask != syscall.SIGKILL {
		p.signal(ask)
		select {
		case <-p.done:
			return
		case <-time.After(2 * time.Second):
		}
	}
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Leftover is what a run that is dead has left behind.
type Leftover struct {
	Run       string
	Processes []int
	Spaces    []string
}

// Leftovers finds them.
func Leftovers() (list []Leftover, err error) {
	entries, err := os.ReadDir(runsFolder)
	if os.IsNotExist(err) {
		return nil, nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "vpnsim-") {
			continue
		}
		alive, owned := processesOf(filepath.Join(runsFolder, e.Name(), processesFile))
		if !owned && !beginsNow(e.Name()) {
			list = append(list, Leftover{e.Name(), alive, spacesOf(e.Name())})
		}
	}
	return list, err
}

// beginsNow tells whether a run without a word about its owner may be about to write it.
func beginsNow(run string) bool {
	if _, err := os.Stat(filepath.Join(runsFolder, run, processesFile)); err == nil {
		return false
	}
	pid, _, _ := strings.Cut(strings.TrimPrefix(run, "vpnsim-"), "-")
	_, err := os.Stat("/proc/" + pid)
	return err == nil
}

// processesOf are those of a run that are alive, and whether its owner is.
func processesOf(file string) (alive []int, owned bool) {
	f, err := os.Open(file)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 0; lines.Scan(); n++ {
		pid, began, _ := strings.Cut(lines.Text(), " ")
		id, err := strconv.Atoi(pid)
		if err != nil {
			continue
		}
		if is, err := beginning(id); err != nil || is != began {
			continue
		}
		if n == 0 {
			owned = true
			continue
		}
		alive = append(alive, id)
	}
	return alive, owned
}

// Clean removes what a dead run has left behind.
func (l Leftover) Clean() error {
	for _, pid := range l.Processes {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, name := range l.Spaces {
		(&space{name: name, handle: -1}).remove()
	}
	return os.RemoveAll(filepath.Join(runsFolder, l.Run))
}
