package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A Part is a file with some blocks of a sweep: what one of several machines has done,
// or what was done before an interruption. It is one JSON object a line, the manifest
// first, then a block on each, so that a block is kept by appending a line. A last line
// without its end is what a kill has left behind, and does not count.

// Kind is what the manifest of a part says that it is.
const Kind = "sweep-part"

// Manifest is the first line of a part.
type Manifest struct {
	VPNSim string `json:"vpnsim"`
	Kind   string `json:"kind"`
	Plan   string `json:"plan"` // Identity.Hash
	Shard  *Shard `json:"shard,omitempty"`
	Identity
}

// WriteManifest begins a part.
func WriteManifest(w io.Writer, id *Identity, shard *Shard) error {
	return writeLine(w, Manifest{VPNSim: "v1", Kind: Kind, Plan: id.Hash(), Shard: shard, Identity: *id})
}

// WritePart writes a sweep that is complete as a part.
func WritePart(w io.Writer, res *Result) error {
	if err := WriteManifest(w, &res.Identity, nil); err != nil {
		return err
	}
	return WriteBlock(w, &Block{More: res.blocks(int(res.Points[0].Runs)) - 1, Points: res.Points})
}

// WriteBlock adds a block to a part, with one Write.
func WriteBlock(w io.Writer, b *Block) error { return writeLine(w, b) }

func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}

// longestLine of a part; more is no part.
const longestLine = 256 << 20

// ReadPart reads a part: begin is given its manifest, then each every block. The size is
// that of its complete lines: whoever goes on with the file cuts off the rest.
func ReadPart(r io.Reader, begin func(*Manifest) error, each func(*Block) error) (size int64, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	var m *Manifest
	for n := 1; ; n++ {
		line, err := readLine(in)
		if err == io.EOF {
			break
		}
		if err == nil && n == 1 {
			if m, err = manifest(line); err == nil {
				err = begin(m)
			}
			if err != nil {
				return 0, err
			}
		} else if err == nil {
			b := &Block{}
			if err = json.Unmarshal(line, b); err == nil {
				err = b.check(&m.Identity)
			}
			if err == nil {
				err = each(b)
			}
		}
		if err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
		size += int64(len(line))
	}
	if m == nil {
		return 0, errors.New("this is no part of a sweep: it is empty")
	}
	return size, nil
}

func manifest(line []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(line, m); err != nil || m.Kind != Kind {
		return nil, errors.New("this is no part of a sweep: it does not begin with a manifest")
	}
	if m.VPNSim != "v1" {
		return nil, fmt.Errorf("version %q of the format is not known, only v1", m.VPNSim)
	}
	if m.Plan != m.Hash() || !m.sound() {
		return nil, errors.New("the manifest has been changed, or is of another version of vpnsim")
	}
	return m, nil
}

// sound tells whether a plan like this can have been run.
func (m *Manifest) sound() bool {
	u := m.Until
	return len(m.Points) > 0 && (len(m.Names) == 0 || len(m.Names) == len(m.Points)) && len(m.Metrics) > 0 && m.Runs > 0 && (u == nil || m.Metric(u.Metric) >= 0) &&
		(m.Shard == nil || m.Shard.Index >= 0 && m.Shard.Index < m.Shard.Of)
}

// readLine reads a line with its end. io.EOF: there is no other complete one.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case err == nil:
			return line, nil
		case err == bufio.ErrBufferFull && len(line) <= longestLine:
			if bytes.IndexByte(line[:min(len(line), 1024)], 0) >= 0 {
				return nil, errors.New("this is no text")
			}
		case err == bufio.ErrBufferFull:
			return nil, errors.New("the line is too long")
		default:
			return nil, err
		}
	}
}

// Merger puts parts together.
type Merger struct {
	manifest *Manifest
	first    string // the name of the first part
	done     *Done
}

// Add reads a part. name is what to call it in messages.
func (m *Merger) Add(name string, r io.Reader) error {
	begin := func(part *Manifest) error {
		if m.manifest == nil {
			m.manifest, m.first, m.done = part, name, NewDone(&part.Identity)
		}
		if what := differs(&m.manifest.Identity, &part.Identity); what != "" {
			return fmt.Errorf("it is of another sweep than %s: %s", m.first, what)
		}
		return nil
	}
	_, err := ReadPart(r, begin, func(b *Block) error {
		if !m.done.Add(b) {
			return fmt.Errorf("block %d is another one in an earlier file, or part of a larger one there", b.Number)
		}
		return nil
	})
	return err
}

// differs says in which way two sweeps are not the same; "" if they are.
func differs(a, b *Identity) string {
	switch {
	case a.SHA256 != b.SHA256:
		return fmt.Sprintf("the scenario is not the same (SHA-256 %.12s… and %.12s…)", a.SHA256, b.SHA256)
	case a.Engine != b.Engine:
		return fmt.Sprintf("they are by different versions of vpnsim (%s and %s)", a.Engine, b.Engine)
	case !slices.Equal(a.Sets, b.Sets) || !slices.EqualFunc(a.Points, b.Points, slices.Equal):
		return "they have other values of --set or --vary"
	case a.First != b.First || a.Runs != b.Runs:
		return fmt.Sprintf("the seeds are not the same (%d from %d, and %d from %d)", a.Runs, a.First, b.Runs, b.First)
	case a.Check != b.Check:
		return "they are by different builds of vpnsim: the same run came out otherwise"
	case a.Hash() != b.Hash():
		return "they count other metrics, or stop otherwise"
	}
	return ""
}

// Result of all parts together; it may be incomplete.
func (m *Merger) Result() *Result { return m.done.result(m.manifest.Runs) }
