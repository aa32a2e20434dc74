package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vpnsim/vpnsim/scenarios"
)

// git:REV:path is a scenario as it is in a revision of the repository that the path lies
// in: git:HEAD~1:my.yaml, git:origin/main:nets/prod.yaml; git::my.yaml is what is staged. git
// itself reads it, since only that knows all ways in which a repository can be kept.
const gitPrefix = "git:"

// revision is where a file lies.
type revision struct {
	rev    string
	folder string // the nearest one that exists, in which git is started
	path   string // from there, with slashes
}

func openGit(name string) (source, error) {
	bad := func(message, help string) (source, error) { return source{}, unreadable(name, message, help) }
	rev, path, ok := strings.Cut(strings.TrimPrefix(name, gitPrefix), ":")
	if !ok || path == "" {
		return bad("does not say which file of which revision", "write git:HEAD~1:my.yaml")
	}
	if strings.HasPrefix(rev, "-") {
		return bad(fmt.Sprintf("%q is no revision", rev), "")
	}
	r := nearest(path)
	r.rev = rev
	if _, err := exec.LookPath("git"); err != nil {
		return bad("git is not installed, or not on the PATH", "write the old file to another name, and compare the two")
	}
	if _, err := r.git(1<<10, "rev-parse", "--git-dir"); err != nil {
		return bad(fmt.Sprintf("%s is not in a git repository", filepath.Join(r.folder, r.path)), "")
	}
	if rev != "" {
		if _, err := r.git(1<<10, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}"); err != nil {
			return bad(fmt.Sprintf("the repository has no revision %q", rev), "a shallow clone, as CI systems make, has the newest only: fetch more of it")
		}
	}
	data, err := r.read(r.path, scenarios.MaxFile+1)
	if err != nil {
		where := "revision " + rev
		if rev == "" {
			where = "what is staged"
		}
		return bad(fmt.Sprintf("%s does not have the file %s", where, path), "the path is taken from here, not from the root of the repository")
	}
	files := func(file string) ([]byte, error) {
		if filepath.IsAbs(file) {
			return beside(".")(file)
		}
		data, err := r.read(filepath.ToSlash(filepath.Join(filepath.Dir(r.path), file)), largestFile+1)
		switch {
		case err != nil:
			return nil, fmt.Errorf("revision %s does not have it", rev)
		case len(data) > largestFile:
			return nil, fmt.Errorf("it has more than %d bytes", largestFile)
		}
		return data, nil
	}
	return source{name, data, files}, nil
}

// nearest finds the folder of a path, or where that is gone one above it.
func nearest(path string) revision {
	folder, rest := filepath.Split(filepath.Clean(path))
	if folder == "" {
		folder = "."
	}
	for {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return revision{folder: folder, path: filepath.ToSlash(rest)}
		}
		up, last := filepath.Split(filepath.Clean(folder))
		if up == "" {
			up = "."
		}
		folder, rest = up, filepath.Join(last, rest)
	}
}

// read gives a file of the revision, the first bytes of it.
func (r *revision) read(path string, most int64) ([]byte, error) {
	return r.git(most, "cat-file", "blob", r.rev+":./"+path)
}

// git runs git in the folder and gives its output, up to so many bytes.
func (r *revision) git(most int64, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.folder
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	data, readErr := io.ReadAll(io.LimitReader(out, most))
	if int64(len(data)) == most { // more than anyone wants
		out.Close()
		cmd.Wait()
		return data, nil
	}
	if err := errors.Join(readErr, cmd.Wait()); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return data, nil
}
