package daemonconf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/config"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// The daemons themselves read what is written for every scenario that ships,
// and complain about no line of it.

// most routers of a scenario that is shown to the daemons.
const most = 30

// designs are the scenarios that ship, and one with every key of the format.
func designs(t *testing.T) map[string]*topology.Design {
	t.Helper()
	list := map[string]*topology.Design{}
	for _, name := range scenarios.BuiltinNames() {
		data, _ := scenarios.Builtin(name)
		list[name] = load(t, name, data)
	}
	data, err := os.ReadFile("../scenarios/testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list["everything"] = load(t, "everything", data)
	for name, d := range list {
		if d.Internet != nil || len(d.Routers) > most {
			delete(list, name)
		}
	}
	if len(list) < 40 {
		t.Fatalf("only %d scenarios have routers to configure", len(list))
	}
	return list
}

func load(t *testing.T, name string, data []byte, sets ...string) *topology.Design {
	t.Helper()
	d, problems := scenarios.Load(name+".yaml", data, sets, scenarios.Files(scenarios.BuiltinFile))
	if scenarios.Failed(problems) {
		t.Fatalf("%s: %v", name, problems)
	}
	return d
}

func write(t *testing.T, d *topology.Design, router int, with Daemon, opt Options) Config {
	t.Helper()
	c, err := Write(d, router, with, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dir holds every router's main file of every scenario.
func dir(t *testing.T, with Daemon, file string) (string, []string) {
	t.Helper()
	at := t.TempDir()
	var list []string
	for name, d := range designs(t) {
		for i := range d.Routers {
			c := write(t, d, i, with, Options{})
			path := filepath.Join(at, fmt.Sprintf("%s.%s.%s", name, c.Router, file))
			if c.Files[0].Name != file {
				t.Fatalf("the first file is %s", c.Files[0].Name)
			}
			if err := os.WriteFile(path, c.Files[0].Content, 0o644); err != nil {
				t.Fatal(err)
			}
			list = append(list, path)
		}
	}
	return at, list
}

// accept runs a program on every file.
func accept(t *testing.T, files []string, program string, args func(file string) []string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	for _, file := range files {
		out, err := exec.Command(path, args(file)...).CombinedOutput()
		if err != nil || len(strings.TrimSpace(string(out))) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(file), err, out)
		}
	}
}

func TestFRRAccepts(t *testing.T) {
	// A dry run of vtysh looks at one line after the other, so that all files can
	// be one.
	at, files := dir(t, FRR, "frr.conf")
	var all []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	one := filepath.Join(at, "all.conf")
	if err := os.WriteFile(one, all, 0o644); err != nil {
		t.Fatal(err)
	}
	accept(t, []string{one}, "vtysh", func(file string) []string { return []string{"-C", "-f", file} })
}

func TestBIRDAccepts(t *testing.T) {
	_, files := dir(t, BIRD, "bird.conf")
	accept(t, files, "bird", func(file string) []string { return []string{"-p", "-c", file} })
}

func TestGoBGPAccepts(t *testing.T) {
	_, files := dir(t, GoBGP, "gobgpd.toml")
	for _, file := range files {
		if _, err := config.ReadConfigFile(file, "toml"); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
	if _, err := exec.LookPath("gobgpd"); err != nil {
		t.Log("gobgpd is not installed: its library has read the files")
		return
	}
	accept(t, files, "gobgpd", func(file string) []string { return []string{"-d", "-f", file} })
}
