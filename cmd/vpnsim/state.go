package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vpnsim/vpnsim/sweep"
)

// What a sweep has done is kept in a file until it is complete, block by block, each
// with one write: whatever ends the program, no finished block is lost. The file is
// in the user's cache, named after what the sweep computes, unless --state names
// another; that of a shard lies beside its -o.

// state is that file.
type state struct {
	path string
	file *os.File // nil: nothing is kept
	must bool     // the user counts on it
	done *sweep.Done
}

// unfinished is added to the name of a shard's -o until it is complete.
const unfinished = ".unfinished"

// openState begins a file, or with --resume goes on with one.
func openState(q *sweepFlags, plan *sweep.Plan, shard *sweep.Shard) (*state, error) {
	st := &state{path: q.state, must: true, done: sweep.NewDone(&plan.Identity)}
	if shard != nil {
		if st.path != "" {
			return nil, usagef("leave --state out", "--state: what a shard has done is kept beside its -o")
		}
		final, err := replaceable("-o", q.files[0])
		if err != nil {
			return nil, err
		}
		st.path = final + unfinished
	}
	if st.path == "" {
		cache, err := os.UserCacheDir()
		if err == nil {
			err = os.MkdirAll(filepath.Join(cache, "vpnsim"), 0o777)
		}
		if err != nil {
			if q.resume {
				return nil, usagef("name the file with --state", "--resume: there is no cache in which something could have been kept")
			}
			return st, nil
		}
		st.path, st.must = filepath.Join(cache, "vpnsim", "sweep-"+plan.Hash()+".ndjson"), false
	}
	if q.resume {
		resumed, err := st.resume(plan)
		if resumed || err != nil {
			return st, err
		}
	}
	return st, st.begin(plan, shard)
}

// resume reads what is there; false: there is nothing.
func (st *state) resume(plan *sweep.Plan) (bool, error) {
	f, err := os.OpenFile(st.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, usagef("", "--resume %s: %s", st.path, reason(err))
	}
	done := sweep.NewDone(&plan.Identity)
	size, err := sweep.ReadPart(f, func(m *sweep.Manifest) error {
		if m.Plan != plan.Hash() {
			return errors.New("it was kept by another sweep")
		}
		return nil
	}, func(b *sweep.Block) error {
		if !done.Add(b) {
			return fmt.Errorf("block %d stands there twice", b.Number)
		}
		return nil
	})
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, 0)
	}
	if err != nil {
		f.Close()
		return false, usagef("", "--resume %s: %v", st.path, err)
	}
	st.file, st.done = f, done
	return true, nil
}

func (st *state) begin(plan *sweep.Plan, shard *sweep.Shard) error {
	err := os.Remove(st.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return st.failed(err)
	}
	if st.file, err = os.OpenFile(st.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
		return st.failed(err)
	}
	if err := sweep.WriteManifest(st.file, &plan.Identity, shard); err != nil {
		return st.failed(err)
	}
	return nil
}

// failed stops keeping. That is an error only if the user counts on the file.
func (st *state) failed(err error) error {
	st.close()
	st.file = nil
	if st.must {
		return usagef("", "%s cannot be written: %s", st.path, reason(err))
	}
	os.Remove(st.path)
	return nil
}

// keep adds a block.
func (st *state) keep(b *sweep.Block) error {
	if st.file == nil {
		return nil
	}
	if err := sweep.WriteBlock(st.file, b); err != nil {
		return st.failed(err)
	}
	return nil
}

func (st *state) close() {
	if st.file != nil {
		st.file.Close()
	}
}

// remove takes the file away: the sweep is complete.
func (st *state) remove() {
	if st.file != nil {
		st.close()
		os.Remove(st.path)
	}
}

// publish makes a shard's file what -o names.
func (st *state) publish(path string) error {
	final, err := replaceable("-o", path)
	if err != nil {
		return err
	}
	if err := st.file.Close(); err != nil {
		return usagef("", "-o %s: cannot be written: %s", path, reason(err))
	}
	if err := os.Rename(st.path, final); err != nil {
		return usagef("", "-o %s: cannot be written: %s", path, reason(err))
	}
	return nil
}

// hint is what to do after an interruption.
func (st *state) hint() string {
	if st.file == nil || st.done.Blocks() == 0 {
		return "nothing was kept"
	}
	return "the same command with --resume goes on: what is done is in " + st.path
}
