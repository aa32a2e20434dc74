package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/export"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sim"
)

// -o FILE: the suffix chooses what is written. Files are written beside their
// place and renamed, all of them after all are complete, so that there is
// never half a file and never half of the files.

// exporter writes one kind of file.
type exporter struct {
	suffix  string
	record  bool // it is made of the record of the run
	packets bool // … with every packet, which are recorded for it only
	write   func(io.Writer, *explain.Answer) error
}

// exporters, with longer suffixes before those that end like them.
var exporters = []exporter{
	{".trace.json", true, false, func(w io.Writer, a *explain.Answer) error { return export.WriteTrace(w, a.Log, kindName) }},
	{".pcapng", true, true, func(w io.Writer, a *explain.Answer) error { return export.WritePcapng(w, a.Log, timeZero) }},
	{".mrt", true, false, func(w io.Writer, a *explain.Answer) error { return export.WriteMRT(w, a.Log, timeZero) }},
	{".ndjson", true, false, func(w io.Writer, a *explain.Answer) error { return export.WriteNDJSON(w, a.Log, kindName) }},
	{".svg", true, false, func(w io.Writer, a *explain.Answer) error { return report.SVG(w, *a.Doc) }},
	{".json", false, false, func(w io.Writer, a *explain.Answer) error { return report.JSON(w, *a.Doc) }},
	{".md", false, false, func(w io.Writer, a *explain.Answer) error { return report.Markdown(w, *a.Doc) }},
}

// timeZero is the date of time zero in files that want one: any would do, and
// a fixed one keeps the same run the same bytes.
var timeZero = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func kindName(_ sim.ActorID, kind sim.Kind) string { return network.KindName(kind) }

// output is one -o.
type output struct {
	path string
	exporter
}

// outputs finds an exporter for every path.
func outputs(paths []string) ([]output, error) {
	var suffixes []string
	for _, e := range exporters {
		suffixes = append(suffixes, e.suffix)
	}
	chosen, err := bySuffix(paths, suffixes)
	var list []output
	for i, c := range chosen {
		list = append(list, output{paths[i], exporters[c]})
	}
	return list, err
}

// bySuffix says for every path of -o which of the suffixes it has.
func bySuffix(paths, suffixes []string) ([]int, error) {
	var chosen []int
	seen := map[string]bool{}
	for _, path := range paths {
		i := slices.IndexFunc(suffixes, func(s string) bool { return strings.HasSuffix(path, s) })
		if i < 0 {
			help := scenarios.DidYouMean(filepath.Ext(path), suffixes)
			if !strings.HasPrefix(help, "did you mean") {
				help = "the suffix chooses what is written: " + strings.Join(suffixes, ", ")
			}
			return nil, usagef(help, "-o %s: nothing is written as %q", path, filepath.Ext(path))
		}
		clean := filepath.Clean(path)
		if seen[clean] {
			return nil, usagef("", "-o %s is given twice", path)
		}
		seen[clean] = true
		chosen = append(chosen, i)
	}
	return chosen, nil
}

// writeFiles writes every output of a run, or none.
func writeFiles(list []output, answer *explain.Answer) error {
	var files []pending
	for _, o := range list {
		files = append(files, pending{"-o", o.path, func(w io.Writer) error { return o.write(w, answer) }})
	}
	return writeAll(files)
}

// pending is a file that is to be written.
type pending struct {
	flag  string // that asked for it
	path  string
	write func(io.Writer) error
}

// writeAll writes every file, or none.
func writeAll(list []pending) (err error) {
	type file struct{ flag, temporary, final string }
	var files []file
	defer func() {
		if err != nil {
			for _, f := range files {
				os.Remove(f.temporary)
			}
		}
	}()
	for _, o := range list {
		var content bytes.Buffer
		if err := o.write(&content); err != nil {
			return usagef("", "%s %s: %v", o.flag, o.path, err)
		}
		final, err := replaceable(o.flag, o.path)
		if err != nil {
			return err
		}
		temporary, err := writeBeside(final, content.Bytes())
		if err != nil {
			return usagef("", "%s %s: cannot be written: %s", o.flag, o.path, reason(err))
		}
		files = append(files, file{o.flag, temporary, final})
	}
	for _, f := range files {
		if err := os.Rename(f.temporary, f.final); err != nil {
			return usagef("", "%s %s: cannot be written: %v", f.flag, f.final, err)
		}
	}
	return nil
}

// replaceable is the file that path means: a link stays a link, what it points
// to is replaced. What is no file is not.
func replaceable(flag, path string) (string, error) {
	final := path
	if target, err := filepath.EvalSymlinks(final); err == nil {
		final = target
	}
	if info, err := os.Stat(final); err == nil && !info.Mode().IsRegular() {
		return "", usagef("", "%s %s: this is %s, not a file that can be replaced", flag, path, kindOfFile(info.Mode()))
	}
	return final, nil
}

// writeBeside writes a new file in the directory of path and returns its name.
func writeBeside(path string, content []byte) (string, error) {
	for i := range 1000 {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d-%d", filepath.Base(path), os.Getpid(), i))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(content)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			os.Remove(name)
			return "", err
		}
		return name, nil
	}
	return "", errors.New("the names beside it are all taken")
}

func kindOfFile(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something special"
}

// print writes the document to standard output as --format says.
func (a *app) print(doc *report.Document, text func(io.Writer, report.Document, report.Options) error, opt report.Options) error {
	var err error
	switch a.format {
	case "json":
		err = report.JSON(a.out, *doc)
	case "md":
		err = report.Markdown(a.out, *doc)
	default:
		err = text(a.out, *doc, opt)
	}
	return printed(err)
}

// printed says of a failed write where it failed.
func printed(err error) error {
	if err == nil {
		return nil
	}
	return usagef("", "standard output cannot be written: %s", reason(err))
}
