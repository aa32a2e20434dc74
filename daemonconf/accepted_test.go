package daemonconf

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/config"
	"github.com/osrg/gobgp/v3/pkg/config/oc"
	"github.com/osrg/gobgp/v3/pkg/log"
	"github.com/osrg/gobgp/v3/pkg/server"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// The daemons themselves read what is written for every scenario that ships,
// and complain about no line of it.

// most routers of a scenario that is shown to the daemons.
const most = 30

var shipped map[string]*topology.Design

// designs are the scenarios that ship, and one with every key of the format.
func designs(t *testing.T) map[string]*topology.Design {
	t.Helper()
	if shipped != nil {
		return shipped
	}
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
	shipped = list
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

// dir holds every router's main file of every scenario; of those that differ in
// their headings only, one.
func dir(t *testing.T, with Daemon, file string) (string, []string) {
	t.Helper()
	at := t.TempDir()
	var list []string
	seen := map[string]bool{}
	for name, d := range designs(t) {
		for i := range d.Routers {
			c := write(t, d, i, with, Options{})
			_, body, _ := strings.Cut(string(c.Files[0].Content), "listed by the same command.")
			if seen[body] {
				continue
			}
			seen[body] = true
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

// policies puts those of a file into a server that listens nowhere and has no
// neighbours; it looks at every statement and set.
func policies(t *testing.T, file string, c *oc.BgpConfigSet) {
	t.Helper()
	complaints := &logger{}
	s := server.NewBgpServer(server.LoggerOption(complaints))
	go s.Serve()
	defer s.Stop()
	statements := 0
	for _, p := range c.PolicyDefinitions {
		statements += len(p.Statements)
	}
	c.Global.Config.Port, c.Neighbors = -1, nil
	func() {
		defer func() {
			if problem := recover(); problem != nil {
				t.Errorf("%s: %v", filepath.Base(file), problem)
			}
		}()
		if _, err := config.InitialConfig(context.Background(), s, c, false); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}()
	if len(complaints.lines) > 0 {
		t.Errorf("%s: %v", filepath.Base(file), complaints.lines)
	}
	took := 0
	if err := s.ListPolicy(context.Background(), &api.ListPolicyRequest{}, func(p *api.Policy) { took += len(p.Statements) }); err != nil || took != statements {
		t.Errorf("%s: the server has %d statements of %d (%v)", filepath.Base(file), took, statements, err)
	}
}

// logger keeps complaints, and panics where GoBGP would end the program.
type logger struct{ lines []string }

func (l *logger) Panic(msg string, f log.Fields) { panic(fmt.Sprint(msg, f)) }
func (l *logger) Fatal(msg string, f log.Fields) { panic(fmt.Sprint(msg, f)) }
func (l *logger) Error(msg string, f log.Fields) { l.lines = append(l.lines, fmt.Sprint(msg, f)) }
func (l *logger) Warn(msg string, f log.Fields)  { l.lines = append(l.lines, fmt.Sprint(msg, f)) }
func (l *logger) Info(string, log.Fields)        {}
func (l *logger) Debug(string, log.Fields)       {}
func (l *logger) SetLevel(log.LogLevel)          {}
func (l *logger) GetLevel() log.LogLevel         { return log.WarnLevel }

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
		c, err := config.ReadConfigFile(file, "toml")
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		policies(t, file, c)
	}
	path, err := exec.LookPath("gobgpd")
	if err != nil {
		t.Log("gobgpd is not installed: its library has read the files")
		return
	}
	for _, file := range files {
		if !strings.HasPrefix(filepath.Base(file), "everything.") {
			continue // every key is in these
		}
		out, err := exec.Command(path, "-d", "-f", file).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if err != nil || !strings.Contains(line, `"level":"info"`) {
				t.Errorf("%s: %v\n%s", filepath.Base(file), err, line)
			}
		}
	}
}
