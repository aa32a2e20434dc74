//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Who is not root may be root of something smaller: a user namespace, and in it network
// namespaces, mounts and processes of its own. The program starts itself once more in
// there, and the lab runs as it does for root. When that second program ends, however it
// does, the kernel ends and removes everything that it has made.

// within tells the second program that it is one.
const within = "VPNSIM_LAB_NAMESPACE"

// namespaces are what the second program has of its own.
const namespaces = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID

// asRoot has a command run as root of namespaces of its own.
func asRoot(cmd *exec.Cmd) {
	one := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, UidMappings: one(os.Geteuid()), GidMappings: one(os.Getegid()), Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Again runs this program once more, with the same arguments, as root of namespaces of
// its own, and returns its exit code.
func Again(ctx context.Context, in io.Reader, out, err io.Writer) (code int, _ error) {
	// The kernel ends the child when the thread ends that has started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = os.Args
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, err
	cmd.Env = append(os.Environ(), within+"=1")
	asRoot(cmd)
	asked := make(chan os.Signal, 4)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(asked)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-asked:
				cmd.Process.Signal(s)
			case <-ctx.Done():
				cmd.Process.Signal(os.Interrupt)
				return
			case <-done:
				return
			}
		}
	}()
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		return 0, err
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// entered tells whether this is the second program.
var entered bool

// Enter makes the second program at home: it sees its own processes, and its own folders
// where namespaces have their names and runs their notes. In the first one it does
// nothing.
func Enter() error {
	if os.Getenv(within) == "" || os.Getpid() != 1 || entered {
		return nil
	}
	entered = true
	groups, err := os.ReadFile("/etc/group")
	if err != nil {
		return err
	}
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
	}{{"", "/", "", unix.MS_REC | unix.MS_PRIVATE}, {"proc", "/proc", "proc", 0}, {"tmpfs", "/run", "tmpfs", 0}} {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	// FRR wants its sockets to belong to a group, and becomes a member of it. There is
	// one group only in here, so it gets that one's number, and is told that it has
	// become a member.
	const file = "/run/group"
	if err := os.WriteFile(file, onlyGroup(groups), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(file, "/etc/group", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount /etc/group: %w", err)
	}
	return grantGroups()
}

// onlyGroup is /etc/group with all of FRR's groups in the place of root's.
func onlyGroup(file []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(file) {
		if f := strings.Split(strings.TrimSpace(string(line)), ":"); len(f) == 4 && strings.HasPrefix(f[0], frrUser) {
			f[2], f[3] = "0", "root"
			line = []byte(strings.Join(f, ":") + "\n")
		}
		out.Write(line)
	}
	return out.Bytes()
}

// setgroups is the number of the system call, by architecture of the kernel's audit.
var setgroups = map[string]struct{ arch, call uint32 }{"amd64": {unix.AUDIT_ARCH_X86_64, 116}, "arm64": {unix.AUDIT_ARCH_AARCH64, 159}}

// grantGroups has setgroups succeed without doing anything, in this program and all that
// it starts. Who maps one group only, as anybody may, is not allowed to call it.
func grantGroups() error {
	c, ok := setgroups[runtime.GOARCH]
	if !ok {
		return nil // FRR will say what it misses
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 4}, // the architecture
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: c.arch, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: c.call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO}, // with no error
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if e != 0 {
		return fmt.Errorf("seccomp: %w", e)
	}
	return nil
}

// Small tells whether a lab takes Again here: whoever runs it is not root.
func Small() bool { return os.Geteuid() != 0 }

// obstacle tells whether a user namespace is enough here, by trying: empty, or what is in
// the way.
func obstacle() string {
	cmd := exec.Command("/bin/sh", "-c", "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && : <>/dev/net/tun")
	asRoot(cmd)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	if text := strings.TrimSpace(string(out)); text != "" {
		return text
	}
	return err.Error()
}
