package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
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

// WritePart writes a whole sweep as a part.
func WritePart(w io.Writer, res *Result) error {
	err := WriteManifest(w, &res.Identity, nil)
	for i := 0; i < len(res.Blocks) && err == nil; i++ {
		err = WriteBlock(w, res.Blocks[i])
	}
	return err
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

// ReadPart reads a part. The size is that of its complete lines: whoever goes on with
// the file cuts off the rest.
func ReadPart(r io.Reader) (m *Manifest, blocks []*Block, size int64, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := readLine(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
		if n == 1 {
			m = &Manifest{}
			if err := json.Unmarshal(line, m); err != nil || m.Kind != Kind {
				return nil, nil, 0, errors.New("this is no part of a sweep: it does not begin with a manifest")
			}
			if m.VPNSim != "v1" {
				return nil, nil, 0, fmt.Errorf("version %q of the format is not known, only v1", m.VPNSim)
			}
			if m.Plan != m.Hash() || !m.sound() {
				return nil, nil, 0, errors.New("the manifest has been changed, or is of another version of vpnsim")
			}
		} else {
			b := &Block{}
			if err := json.Unmarshal(line, b); err != nil {
				return nil, nil, 0, fmt.Errorf("line %d: %w", n, err)
			}
			if err := b.check(&m.Identity); err != nil {
				return nil, nil, 0, fmt.Errorf("line %d: %w", n, err)
			}
			blocks = append(blocks, b)
		}
		size += int64(len(line))
	}
	if m == nil {
		return nil, nil, 0, errors.New("this is no part of a sweep: it is empty")
	}
	return m, blocks, size, nil
}

// sound tells whether a plan like this can have been run.
func (m *Manifest) sound() bool {
	u := m.Until
	return len(m.Points) > 0 && len(m.Metrics) > 0 && m.Runs > 0 && (u == nil || m.Metric(u.Metric) >= 0) &&
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
	blocks   map[int]*Block
	from     map[int]string
	first    string
}

// Add takes in a part. name is what to call it in messages.
func (m *Merger) Add(name string, part *Manifest, blocks []*Block) error {
	if m.manifest == nil {
		m.manifest, m.first, m.blocks, m.from = part, name, map[int]*Block{}, map[int]string{}
	} else if what := differs(&m.manifest.Identity, &part.Identity); what != "" {
		return fmt.Errorf("%s is of another sweep than %s: %s", name, m.first, what)
	}
	for _, b := range blocks {
		if old := m.blocks[b.Number]; old != nil && !reflect.DeepEqual(written(old), written(b)) {
			return fmt.Errorf("block %d is another one in %s than in %s: one of them has been changed", b.Number, name, m.from[b.Number])
		}
		m.blocks[b.Number], m.from[b.Number] = b, name
	}
	return nil
}

func written(b *Block) string {
	data, err := json.Marshal(b)
	if err != nil {
		panic(err) // it has been read from JSON
	}
	return string(data)
}

// differs says in which way two sweeps are not the same; "" if they are.
func differs(a, b *Identity) string {
	switch {
	case a.SHA256 != b.SHA256:
		return fmt.Sprintf("the scenario is not the same (SHA-256 %.12s… and %.12s…)", a.SHA256, b.SHA256)
	case a.Engine != b.Engine:
		return fmt.Sprintf("they are by different versions of vpnsim (%s and %s)", a.Engine, b.Engine)
	case !reflect.DeepEqual(a.Sets, b.Sets) || !reflect.DeepEqual(a.Points, b.Points):
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

// Result of all parts together. missing are blocks that no part has.
func (m *Merger) Result() (res *Result, missing int) {
	r := runner{plan: &Plan{Identity: m.manifest.Identity}, have: m.blocks}
	total := m.manifest.blocks(m.manifest.Runs)
	missing = total - len(m.blocks)
	return r.merged(total, missing == 0), missing
}
