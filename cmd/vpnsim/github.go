package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vpnsim/vpnsim/report"
)

// What GitHub Actions reads: workflow commands in the log of a step, which it shows as
// annotations on lines of a pull request, and a file whose Markdown it shows as the
// step's summary.

// Of the annotations of a step, GitHub shows ten of each kind; of its summary, a mebibyte.
const (
	mostAnnotations = 10
	largestSummary  = 1 << 20
)

// github annotates what has failed, if it is GitHub that looks on.
func (a *app) github(doc *report.Test) error {
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		// On standard error, so that standard output is the result and nothing else;
		// commands are read from both.
		for _, line := range annotations(doc) {
			fmt.Fprintln(a.err, line)
		}
	}
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	if err := addSummary(path, doc); err != nil {
		return usagef("", "GITHUB_STEP_SUMMARY %s: cannot be written: %s", path, reason(err))
	}
	return nil
}

// annotations are the workflow commands.
func annotations(doc *report.Test) (list []string) {
	add := func(file string, line, col int, title, message string) {
		if len(list) < mostAnnotations {
			list = append(list, fmt.Sprintf("::error file=%s,line=%d,col=%d,title=%s::%s",
				property(inWorkspace(file)), max(line, 1), max(col, 1), property(title), commandData(message)))
		}
	}
	for i := range doc.Scenarios {
		s := &doc.Scenarios[i]
		for _, d := range s.Diagnostics {
			if d.Severity != "warning" {
				add(d.File, d.Line, d.Col, "vpnsim: the scenario cannot run", strings.TrimSpace(d.Message+"\n"+d.Help))
			}
		}
		for j := range s.Expectations {
			if e := &s.Expectations[j]; !e.OK {
				add(e.File, e.Line, e.Col, "vpnsim: "+e.Expr, e.Failure())
			}
		}
		if b := s.Baseline; b != nil {
			for j := range b.Values {
				if v := &b.Values[j]; v.Worse {
					add(s.Scenario, 1, 1, "vpnsim: "+v.Expr+" against the baseline", b.Words(v))
				}
			}
		}
	}
	return list
}

// inWorkspace is a file as the repository calls it, wherever vpnsim was started.
func inWorkspace(file string) string {
	root := os.Getenv("GITHUB_WORKSPACE")
	full, err := filepath.Abs(file)
	if root == "" || err != nil {
		return file
	}
	if rel, err := filepath.Rel(root, full); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// commandData and property write what a workflow command would take for its end.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// addSummary appends to the summary of the step, as much as there is room for.
func addSummary(path string, doc *report.Test) error {
	var text bytes.Buffer
	if err := report.TestMarkdown(&text, *doc); err != nil {
		return err
	}
	text.WriteByte('\n')
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err = f.Write(atMostBytes(text.Bytes(), largestSummary-info.Size())); err == nil {
		err = f.Close()
	}
	return err
}

// atMostBytes cuts at the end of a line, and says so.
func atMostBytes(text []byte, room int64) []byte {
	const more = "\n… and more than a summary may hold.\n"
	switch {
	case int64(len(text)) <= room:
		return text
	case room < int64(len(more)):
		return nil
	}
	cut := text[:room-int64(len(more))]
	return append(append([]byte{}, cut[:bytes.LastIndexByte(cut, '\n')+1]...), more...)
}
