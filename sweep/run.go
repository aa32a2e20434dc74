package sweep

import (
	"context"
	"runtime"
	"sync"
)

// Options of Run. None changes the result of a sweep that comes to its end.
type Options struct {
	Workers  int                     // 0: one for each processor
	Shard    *Shard                  // only some of the blocks
	Done     *Done                   // what has been run before; Run adds to it
	Keep     func(*Block) error      // is called with each block, one at a time
	Progress func(done, total int64) // runs, those of Done included
}

// Shard is one of several parts of a sweep: every Of-th block, beginning with Index.
type Shard struct {
	Index int `json:"index"`
	Of    int `json:"of"`
}

// Run runs a plan. When ctx ends, it gives back what is done. The error is that of a
// Sampler, or of Keep.
func Run(ctx context.Context, plan *Plan, opt Options) (*Result, error) {
	r := &runner{plan: plan, opt: opt, have: opt.Done}
	if r.have == nil {
		r.have = NewDone(&plan.Identity)
	}
	want := plan.Runs
	if plan.Until != nil {
		want = min(firstLook, plan.Runs)
	}
	for {
		if err := r.until(ctx, want); err != nil {
			return nil, err
		}
		res := r.have.result(want)
		if !res.Complete || res.Precise || want == plan.Runs {
			return res, nil
		}
		want = min(2*want, plan.Runs)
	}
}

type runner struct {
	plan *Plan
	opt  Options
	runs int64 // that are done

	mu   sync.Mutex
	have *Done
	err  error
}

// until runs the blocks of the first n seeds that are not there yet.
func (r *runner) until(ctx context.Context, n int) error {
	var todo []int
	total := int64(0)
	r.runs = 0
	for b := range r.plan.blocks(n) {
		if s := r.opt.Shard; s != nil && b%s.Of != s.Index {
			continue
		}
		runs := r.plan.runsOf(b)
		total += runs
		if r.have.has(b) {
			r.runs += runs
		} else {
			todo = append(todo, b)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks := make(chan int)
	var workers sync.WaitGroup
	for range min(r.workers(), max(len(todo), 1)) {
		workers.Go(func() {
			w := worker{plan: r.plan, samplers: map[int]Sampler{}}
			for b := range blocks {
				block, err := w.run(ctx, b)
				if block == nil && err == nil {
					continue // interrupted
				}
				if r.finished(block, err, total) {
					cancel()
				}
			}
		})
	}
feed:
	for _, b := range todo {
		select {
		case blocks <- b:
		case <-ctx.Done():
			break feed
		}
	}
	close(blocks)
	workers.Wait()
	return r.err
}

func (r *runner) workers() int {
	if r.opt.Workers > 0 {
		return r.opt.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// finished takes in a block; it tells whether the sweep must end.
func (r *runner) finished(b *Block, err error, total int64) (failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return true
	}
	if err == nil && r.opt.Keep != nil {
		err = r.opt.Keep(b)
	}
	if err != nil {
		r.err = err
		return true
	}
	r.have.Add(b)
	r.runs += r.plan.runsOf(b.Number)
	if r.opt.Progress != nil {
		r.opt.Progress(r.runs, total)
	}
	return false
}

// worker runs blocks.
type worker struct {
	plan     *Plan
	samplers map[int]Sampler
	base     []int64
	out      []int64
}

// mostSamplers that a worker keeps: each holds a network of its own.
const mostSamplers = 100

// run gives nil when ctx ends before the block does.
func (w *worker) run(ctx context.Context, number int) (*Block, error) {
	id := &w.plan.Identity
	from, n := id.seedsOf(number)
	metrics := len(id.Metrics)
	b := &Block{Number: number}
	w.base, w.out = make([]int64, n*metrics), make([]int64, metrics)
	for p := range id.Points {
		s, err := w.sampler(p)
		if err != nil {
			return nil, err
		}
		point := newPoint(id, p)
		for i := range n {
			if ctx.Err() != nil {
				return nil, nil
			}
			base, seed := w.base[i*metrics:(i+1)*metrics], id.First+uint64(from+i)
			remark, err := s.Sample(seed, w.out)
			if err != nil {
				return nil, err
			}
			if p == 0 {
				copy(base, w.out)
			}
			point.add(seed, w.out, base, remark)
		}
		b.Points = append(b.Points, point)
	}
	return b, nil
}

func (w *worker) sampler(point int) (Sampler, error) {
	if s, ok := w.samplers[point]; ok {
		return s, nil
	}
	s, err := w.plan.Make(point)
	if err == nil && len(w.samplers) < mostSamplers {
		w.samplers[point] = s
	}
	return s, err
}
