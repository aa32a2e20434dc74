package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/judge"
)

// openBaseline reads the file of --baseline, and takes over which runs it is of where the
// command line does not say.
func (q *testFlags) openBaseline(cmd *cobra.Command) error {
	if q.baseline == "" {
		if q.update {
			return usagef("name a file with --baseline", "--update: of what?")
		}
		return nil
	}
	f, err := os.Open(q.baseline)
	if errors.Is(err, fs.ErrNotExist) && q.update {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("--update writes it", "--baseline %s: there is no such file", q.baseline)
	}
	if err != nil {
		return usagef("", "--baseline %s: cannot be read: %s", q.baseline, reason(err))
	}
	defer f.Close()
	old, err := judge.ReadBaseline(f)
	if err != nil { // never overwritten: it may be a mistyped name
		return usagef("", "--baseline %s: %v", q.baseline, err)
	}
	q.old = old
	flags := cmd.Flags()
	if !flags.Changed("runs") {
		q.runs = old.Runs
	}
	if !flags.Changed("seed") {
		q.seed = old.FirstSeed
	}
	return nil
}

// called is how a baseline calls a scenario: as its file is found from where the baseline
// lies, so that it does not matter where vpnsim is started.
func (q *testFlags) called(scenario string) string {
	if _, err := os.Stat(scenario); err != nil {
		return scenario // it ships with the program, or came from standard input
	}
	full, err := filepath.Abs(scenario)
	folder, failed := filepath.Abs(filepath.Dir(q.baseline))
	if err != nil || failed != nil {
		return scenario
	}
	if rel, err := filepath.Rel(folder, full); err == nil {
		return filepath.ToSlash(rel)
	}
	return scenario
}

// stillThere tells whether a scenario of the baseline exists.
func (q *testFlags) stillThere(called string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(q.baseline), filepath.FromSlash(called)))
	return err == nil
}
