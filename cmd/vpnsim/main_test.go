package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts and the README expect")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vpnsim": main})
}

// TestScripts runs the program as a user does: each file in testdata is a
// shell session about one thing.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"valid": valid,
			"make":  makeFile,
			"only":  only,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "devfull":
				_, err := os.Stat("/dev/full")
				return err == nil, nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
	})
}

// exits CODE ARGS...: runs vpnsim, which must end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("vpnsim", args[1:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("vpnsim %s: exit code %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

// valid KIND FILE: the file is well-formed JSON, NDJSON or XML.
func valid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: valid json|ndjson|xml FILE")
	}
	data := []byte(ts.ReadFile(args[1]))
	if len(data) == 0 {
		ts.Fatalf("%s is empty", args[1])
	}
	switch args[0] {
	case "json":
		if !json.Valid(data) {
			ts.Fatalf("%s is not JSON", args[1])
		}
	case "ndjson":
		for i, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
			if !json.Valid(line) {
				ts.Fatalf("%s:%d is not JSON: %.100q", args[1], i+1, line)
			}
		}
	case "xml":
		d := xml.NewDecoder(bytes.NewReader(data))
		for {
			if _, err := d.Token(); err == io.EOF {
				return
			} else if err != nil {
				ts.Fatalf("%s: %v", args[1], err)
			}
		}
	default:
		ts.Fatalf("what is valid %s?", args[0])
	}
}

// make KIND FILE: a file that no text of a script can hold.
func makeFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: make huge|big|binary|utf16|deep|nul FILE")
	}
	var content []byte
	switch args[0] {
	case "huge": // 100 MB that take no place on the disk
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), nil, 0o666))
		ts.Check(os.Truncate(ts.MkAbs(args[1]), 100<<20))
		return
	case "big": // more than a scenario may have, for standard input
		content = bytes.Repeat([]byte("# nothing\n"), 1<<20)
	case "binary":
		content = []byte("\x7fELF\x02\x01\x01\x00\x00\xff\xfe")
	case "utf16":
		content = []byte("\xff\xfev\x00p\x00n\x00")
	case "nul":
		content = []byte("vpnsim: v1\nname: a\x00b\n")
	case "deep":
		content = append([]byte("vpnsim: v1\nname: "), bytes.Repeat([]byte("["), 1<<20)...)
	default:
		ts.Fatalf("how to make %s?", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), content, 0o666))
}

// only DIR FILES...: the directory holds these files and no others, such as
// the halves that a failed write left.
func only(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: only DIR FILES...")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(args[1:]) {
		ts.Fatalf("%s holds %v, not %v", args[0], got, args[1:])
	}
}
