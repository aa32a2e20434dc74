package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/daemonconf"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

func (a *app) exportCommand() *cobra.Command {
	var (
		sets, routers []string
		dir           string
	)
	cmd := &cobra.Command{
		Use:   "export frr|bird|gobgp [SCENARIO]",
		Short: "Configurations of real routing daemons for a scenario's routers",
		Long: `Write the configuration of FRR, BIRD or GoBGP for the routers of a scenario, with
every timer, policy and BFD setting that the daemon takes, and list what it cannot
be told: the scenario's path and value, and what the daemon will do instead.

With -o each router gets a folder in DIR, and DIR/README.txt says how the daemons
are started and has the list; without, all is printed. Addresses, tunnels, delays
and the story are not in the files: they are the system's.`,
		Example: `  vpnsim export frr aws-gcp -o conf         conf/aws/frr.conf, conf/gcp/frr.conf, conf/README.txt …
  vpnsim export bird my.yaml --router gcp   one router, on standard output
  vpnsim export gobgp my.yaml --format json`,
		RunE: func(_ *cobra.Command, args []string) error {
			if a.format == "md" {
				return usagef("", "export prints text or json, not md")
			}
			daemon, name, err := exportArguments(args)
			if err != nil {
				return err
			}
			src, err := a.open(name)
			if err != nil {
				return err
			}
			d, err := src.load(sets)
			if err != nil {
				return err
			}
			list, err := configurations(d, daemon, routers)
			if err != nil {
				return err
			}
			if dir != "" {
				if err := writeConfigurations(dir, d.File, daemon, list); err != nil {
					return err
				}
			}
			return a.printConfigurations(d, daemon, list, sets, dir)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&dir, "output", "o", "", "write a folder for every router into `DIR`")
	f.StringArrayVar(&routers, "router", nil, "this `router` only; may be given several times")
	f.StringArrayVar(&sets, "set", nil, "change the scenario first: `path=value`")
	return cmd
}

func exportArguments(args []string) (daemonconf.Daemon, string, error) {
	var known []string
	for _, d := range daemonconf.Daemons {
		known = append(known, string(d))
	}
	help := "known: " + strings.Join(known, ", ")
	switch {
	case len(args) == 0:
		return "", "", usagef(help, "export does not say for which daemon")
	case !slices.Contains(known, args[0]):
		if better := scenarios.DidYouMean(args[0], known); strings.HasPrefix(better, "did you mean") {
			help = better
		}
		return "", "", usagef(help, "nothing is written for a daemon %q", args[0])
	case len(args) > 2:
		return "", "", usagef("", "%q is one too many: export takes one daemon and one scenario", args[2])
	case len(args) == 1:
		return daemonconf.Daemon(args[0]), builtin, nil
	}
	return daemonconf.Daemon(args[0]), args[1], nil
}

// configurations of the named routers, or of all.
func configurations(d *topology.Design, daemon daemonconf.Daemon, only []string) ([]daemonconf.Config, error) {
	if d.Internet != nil {
		return nil, usagef("one of at most 500 routers has them", "%s is a graph of ASes of which the control plane only is simulated: it has no routers to configure", d.File)
	}
	var known []string
	for i := range d.Routers {
		known = append(known, d.Routers[i].Name)
	}
	for _, name := range only {
		if !slices.Contains(known, name) {
			return nil, usagef(scenarios.DidYouMean(name, known), "--router: %s has no router %q", d.File, name)
		}
	}
	var list []daemonconf.Config
	for i, name := range known {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		c, err := daemonconf.Write(d, i, daemon, daemonconf.Options{})
		if err != nil {
			return nil, usagef("", "%s: %v", d.File, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// writeConfigurations fills a directory, or leaves it as it was.
func writeConfigurations(dir, scenario string, daemon daemonconf.Daemon, list []daemonconf.Config) (err error) {
	var made []string
	defer func() {
		for _, folder := range slices.Backward(made) {
			if err != nil {
				os.Remove(folder) // it is empty
			}
		}
	}()
	folder := func(path string) error {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			return nil
		}
		if err := os.Mkdir(path, 0o777); err != nil {
			return usagef("", "-o %s: cannot be made: %s", path, reason(err))
		}
		made = append(made, path)
		return nil
	}
	if err := folder(dir); err != nil {
		return err
	}
	content := func(data []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(data); return err }
	}
	var files []pending
	for _, c := range list {
		at := filepath.Join(dir, c.Router)
		if err := folder(at); err != nil {
			return err
		}
		for _, f := range c.Files {
			files = append(files, pending{"-o", filepath.Join(at, f.Name), content(f.Content)})
		}
	}
	readme := daemonconf.README(scenario, daemon, list)
	files = append(files, pending{"-o", filepath.Join(dir, "README.txt"), content([]byte(readme))})
	return writeAll(files)
}

func (a *app) printConfigurations(d *topology.Design, daemon daemonconf.Daemon, list []daemonconf.Config, sets []string, dir string) error {
	if a.format == "json" {
		return printed(report.ExportJSON(a.out, exported(d, daemon, list, sets)))
	}
	var b bytes.Buffer
	for _, c := range list {
		if dir == "" {
			for _, f := range c.Files {
				fmt.Fprintf(&b, "==> %s/%s <==\n%s\n", c.Router, f.Name, f.Content)
			}
			fmt.Fprintf(&b, "==> %s: the rest <==\n%s\n", c.Router, c.List())
			continue
		}
		var names []string
		for _, f := range c.Files {
			names = append(names, f.Name)
		}
		fmt.Fprintf(&b, "%s: %s; what %s cannot be told (%d values): %s\n", filepath.Join(dir, c.Router), strings.Join(names, ", "),
			daemon.Title(), len(c.Cannot), filepath.Join(dir, "README.txt"))
	}
	_, err := a.out.Write(b.Bytes())
	return printed(err)
}

func exported(d *topology.Design, daemon daemonconf.Daemon, list []daemonconf.Config, sets []string) report.Export {
	e := report.Export{VPNSim: "v1", Kind: "export", Version: version(), Scenario: d.File, ScenarioSHA256: d.SHA256, Sets: sets, Daemon: string(daemon)}
	for _, c := range list {
		r := report.ExportedRouter{Router: c.Router}
		for _, f := range c.Files {
			r.Files = append(r.Files, report.ExportedFile{Name: f.Name, Content: string(f.Content)})
		}
		for _, n := range c.Cannot {
			r.Cannot = append(r.Cannot, report.CannotBeTold(n))
		}
		e.Routers = append(e.Routers, r)
	}
	return e
}
