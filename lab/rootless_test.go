//go:build linux

package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is a user who owns nothing.
const nobody = "65534"

// Who is not root has a lab as well, in a user namespace. This test is root, and has
// nobody run the next one.
func TestWithoutRoot(t *testing.T) {
	if testing.Short() {
		t.Skip("real daemons, in real time")
	}
	if os.Geteuid() != 0 {
		t.Skip("takes root, to be somebody else")
	}
	for _, p := range []string{"unshare", "setpriv"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(err)
		}
	}
	// Where nobody can reach it: the program, and the device that is open to all on most
	// machines.
	dir, err := os.MkdirTemp("", "vpnsim-nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program, device := filepath.Join(dir, "lab.test"), filepath.Join(dir, "tun")
	if err := copyFile(program, "/proc/self/exe"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(device, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Parallel() // it waits most of the time
	stop := undisturbed(t)
	script := `mount --bind "$1" /dev/net/tun && cd / && exec setpriv --reuid "$2" --regid "$2" --clear-groups "$3" -test.run '^TestAsNobody$' -test.v`
	cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", device, nobody, program)
	cmd.Env = append(os.Environ(), "VPNSIM_TEST_NOBODY=1", "TMPDIR=/tmp")
	out, err := cmd.CombinedOutput()
	stop()
	if why, is := strings.CutPrefix(firstLine(string(out), "cannot: "), "cannot: "); is {
		t.Skip("a user namespace does not do here: " + why)
	}
	if err != nil || strings.Count(string(out), "gap of a lab: ") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAsNobody is TestWithoutRoot's other half: first as nobody, then as root of a
// namespace.
func TestAsNobody(t *testing.T) {
	if os.Getenv("VPNSIM_TEST_NOBODY") == "" {
		t.Skip("TestWithoutRoot runs it")
	}
	if Small() {
		if why := obstacle(); why != "" {
			fmt.Println("cannot: " + why)
			return
		}
		code, err := Again(context.Background(), nil, os.Stdout, os.Stderr)
		if err != nil || code != 0 {
			t.Fatal(code, err)
		}
		return
	}
	if err := Enter(); err != nil {
		t.Fatal(err)
	}
	daemons := []string{"bird", "frr"}
	for i, d := range daemons {
		p := plan(t, fmt.Sprintf(twoTunnels, `{at: 2s, shut: tun2, by: gcp}`), Flags{With: d})
		if lacks := p.Lacks(); len(lacks) > 0 {
			fmt.Println("gap of a lab: none, without", lacks[0].What)
			daemons[i] = ""
		}
	}
	var jobs []Job
	for _, d := range daemons {
		if d != "" {
			jobs = append(jobs, Job{plan(t, fmt.Sprintf(twoTunnels, `{at: 2s, shut: tun2, by: gcp}`), Flags{With: d}), Options{Trials: 1, Runs: 1, For: 12 * time.Second}})
		}
	}
	err := RunAll(context.Background(), jobs, 2, func(_ int, res *Results) error {
		if res.Errors[0] != nil {
			return res.Errors[0]
		}
		tr := res.Trials[0]
		fmt.Println("gap of a lab:", tr.Gap())
		if tr.Gap() > time.Second || len(tr.Faults) != 1 || len(tr.Messages) == 0 || len(tr.Changes) == 0 {
			return fmt.Errorf("%+v", tr)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// firstLine that begins with something.
func firstLine(text, begin string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}

// FRR's groups become the only one that there is.
func TestOnlyGroup(t *testing.T) {
	got := string(onlyGroup([]byte("root:x:0:\nfrrvty:x:112:frr\nfrr:x:113:\nfree:x:114:\n")))
	if want := "root:x:0:\nfrrvty:x:0:root\nfrr:x:0:root\nfree:x:114:\n"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}
