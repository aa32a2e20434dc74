package sweep

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

// Plan is what is to be run. Runs i of all points have the seed First+i.
type Plan struct {
	Identity
	// Make builds what runs a point; each worker has its own.
	Make func(point int) (Sampler, error) `json:"-"`
}

// Identity is what parts of one sweep have in common, and what makes two of them
// different: equal identities give equal blocks.
type Identity struct {
	Engine   string        `json:"engine"` // version of the program …
	Check    string        `json:"check"`  // … and the digest of a run, since two builds may call themselves the same
	Scenario string        `json:"scenario"`
	Name     string        `json:"name"`
	SHA256   string        `json:"scenario_sha256"`
	Sets     []string      `json:"set"`             // of all points
	Points   [][]string    `json:"points"`          // what each changes besides; all are compared with the first
	Names    []string      `json:"names,omitempty"` // of the points, if they are failures
	Metrics  []Metric      `json:"metrics"`
	First    uint64        `json:"first_seed"`
	Runs     int           `json:"runs"`       // of each point; with a Precision: at most
	Instant  time.Duration `json:"instant_ns"` // an outage that is shorter is called instant
	Until    *Precision    `json:"until,omitempty"`
}

// Precision ends a sweep before its number of runs is reached.
type Precision struct {
	Metric     string  `json:"metric"`
	Quantile   float64 `json:"quantile"`
	Confidence float64 `json:"confidence"`
	Width      int64   `json:"width"` // of the interval, in nanoseconds or whole numbers; from the estimate to either end at most
}

// Sampler runs the scenario of one point.
type Sampler interface {
	// Sample runs it once and sets out, one number for each metric of the plan:
	// nanoseconds, or whole numbers. The Remark says what the numbers can't.
	Sample(seed uint64, out []int64) (Remark, error)
}

// Remark on a run.
type Remark uint8

const (
	Open Remark = 1 << iota // an outage was not over when the run ended, or, where that is measured, routing was still reacting to an event when the next one, or the end, came
	Cut                     // routing did not come to rest, and the run was ended
)

// Hash is a short name of what the plan computes.
func (id *Identity) Hash() string {
	data, err := json.Marshal(id)
	if err != nil {
		panic(err) // strings and numbers
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))[:16]
}

// firstLook is the number of runs after which precision is looked at first; it
// is doubled each time.
const firstLook = 500

// mostBlocks that the runs are divided into, and how many each doubling is.
const (
	mostBlocks  = 500
	leastBlock  = 20
	roundBlocks = 20
)

// blocks is how many there are in the first n runs. With a precision, n is where it is
// looked at.
func (id *Identity) blocks(n int) int {
	if id.Until == nil {
		size := id.blockSize()
		return (n + size - 1) / size
	}
	blocks := 0
	for from, to := 0, firstLook; from < n; from, to = to, 2*to {
		blocks += roundBlocks
	}
	return blocks
}

// blockSize is how many seeds make a block where there is no precision. It depends on
// the plan alone.
func (id *Identity) blockSize() int {
	return max(leastBlock, (id.Runs+mostBlocks-1)/mostBlocks)
}

// seedsOf gives the runs of a block: from, and how many. The last ones of a plan with a
// precision may be empty.
func (id *Identity) seedsOf(block int) (from, n int) {
	size := id.blockSize()
	if from = block * size; id.Until != nil {
		begin, round := 0, firstLook
		for range block / roundBlocks {
			begin, round = begin+round, begin+round
		}
		size = round / roundBlocks
		from = begin + block%roundBlocks*size
	}
	return from, max(min(size, id.Runs-from), 0)
}

// runsOf a block, at all points.
func (id *Identity) runsOf(block int) int64 {
	_, n := id.seedsOf(block)
	return int64(n) * int64(len(id.Points))
}
