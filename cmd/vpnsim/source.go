package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// builtin is the scenario of a command that is given none.
const builtin = "aws-gcp"

// defaultSeed draws the run that the write-up behind the built-in scenario
// shows: ping goes from icmp_seq 85 to 115 with 29 lost. Any other seed is as
// good, and --seed takes it; TestDefaultSeed keeps this one true and finds the
// next when a change of the model has made it false.
const defaultSeed = 45250

// source is a scenario's bytes, what to call it in messages, and how to read
// the files that it names.
type source struct {
	name  string
	data  []byte
	files func(name string) ([]byte, error)
}

// input is what has been read of standard input: nobody can read it again.
func (s source) input() []byte {
	if s.name != "-" {
		return nil
	}
	return s.data
}

// open finds a scenario: a file, standard input, one that ships with the
// program, or git:REV:path. A file comes first, so that nobody's file is ever passed over.
func (a *app) open(name string) (source, error) {
	if name == "-" {
		data, err := readAll(a.in)
		if err != nil {
			return source{}, unreadable("-", "standard input cannot be read: "+reason(err), "")
		}
		return source{"-", data, beside(".")}, nil
	}
	info, err := os.Stat(name)
	shipped, isShipped := scenarios.Builtin(name)
	switch {
	case isShipped && (err != nil || info.IsDir()):
		return source{strings.TrimSuffix(name, ".yaml") + ".yaml", shipped, scenarios.BuiltinFile}, nil
	case err != nil && strings.HasPrefix(name, gitPrefix):
		return openGit(name)
	case errors.Is(err, fs.ErrNotExist):
		return source{}, unreadable(name, "there is no such file, and no scenario of that name ships with vpnsim", suggestion(name))
	case err != nil:
		return source{}, unreadable(name, "cannot be read: "+reason(err), "")
	case info.IsDir():
		return source{}, unreadable(name, "is a directory", "name the files in it")
	case info.Mode().IsRegular() && info.Size() > scenarios.MaxFile:
		// Not a byte of it is read.
		return source{}, unreadable(name, fmt.Sprintf("%d bytes are more than the %d that a scenario may have", info.Size(), scenarios.MaxFile),
			"a scenario is a page of YAML: is this the right file?")
	}
	f, err := os.Open(name)
	if err != nil {
		return source{}, unreadable(name, "cannot be read: "+reason(err), "")
	}
	defer f.Close()
	data, err := readAll(f)
	if err != nil {
		return source{}, unreadable(name, "cannot be read: "+reason(err), "")
	}
	return source{name, data, beside(filepath.Dir(name))}, nil
}

// largestFile is more than any file that a scenario names: the relationships
// of all ASes of the Internet take 10 MB.
const largestFile = 64 << 20

// beside reads files whose names count from a folder.
func beside(folder string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(folder, name)
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, errors.New(reason(err))
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, largestFile+1))
		switch {
		case err != nil:
			return nil, errors.New(reason(err))
		case len(data) > largestFile:
			return nil, fmt.Errorf("it has more than %d bytes", largestFile)
		}
		return data, nil
	}
}

// readAll reads a little more than a scenario may have, so that Load sees that
// it is too much, and no more than that.
func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, scenarios.MaxFile+1)) }

func unreadable(name, message, help string) error {
	return &badScenario{[]report.Diagnostic{{File: name, Severity: "error", Message: message, Help: help}}}
}

// reason is an error of the operating system without the path, which stands
// before it already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func suggestion(name string) string {
	if help := scenarios.DidYouMean(name, scenarios.BuiltinNames()); strings.HasPrefix(help, "did you mean") {
		return help
	}
	return "`vpnsim scenarios` lists those that do"
}

// load reads the scenario with more --set assignments. The error holds every
// problem of it.
func (s source) load(sets []string) (*topology.Design, error) {
	d, problems := scenarios.Load(s.name, s.data, sets, scenarios.CheckExpr(expect.Check), scenarios.Files(s.files))
	if scenarios.Failed(problems) {
		return nil, &badScenario{diagnostics(problems)}
	}
	return d, nil
}

func diagnostics(ds []scenarios.Diagnostic) []report.Diagnostic {
	var list []report.Diagnostic
	for _, d := range ds {
		severity := "error"
		if d.Severity == scenarios.Warning {
			severity = "warning"
		}
		list = append(list, report.Diagnostic{File: d.Pos.File, Line: d.Pos.Line, Col: d.Pos.Col,
			Severity: severity, Message: d.Message, Help: d.Help})
	}
	return list
}

// mostLints of a scenario that runs are written; check lists them all.
const mostLints = 5

// lints writes the warnings about a scenario that runs, and tells how many
// there are.
func (a *app) lints(d *topology.Design) (int, error) {
	ds := diagnostics(scenarios.Lint(d))
	if a.quiet || len(ds) == 0 {
		return len(ds), nil
	}
	few := ds[:min(len(ds), mostLints)]
	if err := report.Diagnostics(a.err, few, a.options(a.err)); err != nil {
		return len(ds), err
	}
	if more := len(ds) - len(few); more > 0 {
		a.warn(fmt.Sprintf("%d more like these: vpnsim check %s", more, d.File))
	}
	return len(ds), nil
}
