//go:build linux

package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/vpnsim/vpnsim/stats"
)

// comingUp is how many trials are brought up at once: starting daemons is what takes
// processors, and those who measure meanwhile are not to notice it.
const comingUp = 6

// weight of a trial among those that run at the same time: a trial with two routers is
// what --parallel counts.
func (p *Plan) weight() int { return max(1, (len(p.Design.Routers)+1)/2) }

// Run does the trials, and simulates the same. It fails when no trial has succeeded, or
// ctx ends.
func Run(ctx context.Context, p *Plan, opt Options) (*Results, error) {
	if opt.Pcap != "" {
		if err := os.MkdirAll(opt.Pcap, 0o755); err != nil {
			return nil, err
		}
	}
	var all *Results
	err := RunAll(ctx, []Job{{p, opt}}, opt.Parallel, func(_ int, res *Results) error {
		all = res
		if res.Measured.N() == 0 {
			return fmt.Errorf("no trial has succeeded: %w", errors.Join(res.Errors...))
		}
		return nil
	})
	return all, err
}

// RunAll does the trials of all jobs, so many at the same time, those that take longest
// first. done is told of each job as it ends, one at a time; the predicted gaps are
// there, too. It fails when done does, or ctx ends, and leaves nothing behind.
func RunAll(ctx context.Context, jobs []Job, parallel int, done func(job int, res *Results) error) error {
	led, err := newLedger()
	if err != nil {
		return err
	}
	defer led.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	type task struct {
		job, trial int
		length     time.Duration
	}
	var tasks []task
	results := make([]*Results, len(jobs))
	left := make([]int, len(jobs))
	for j := range jobs {
		opt := &jobs[j].Opt
		results[j] = &Results{Trials: make([]*Trial, opt.Trials), Errors: make([]error, opt.Trials), Measured: stats.NewHistogram(stats.Millisecond)}
		left[j] = opt.Trials
		for t := range opt.Trials {
			tasks = append(tasks, task{j, t, jobs[j].Plan.Length(*opt)})
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(b.length, a.length) })

	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		turns = make(chan struct{}, max(parallel, 1))
	)
	led.coming = make(chan struct{}, comingUp)
	for number, t := range tasks {
		weight := min(jobs[t.job].Plan.weight(), cap(turns))
		for range weight {
			turns <- struct{}{}
		}
		if ctx.Err() != nil {
			break
		}
		wg.Add(1)
		go func() {
			defer func() {
				for range weight {
					<-turns
				}
				wg.Done()
			}()
			job, res := &jobs[t.job], results[t.job]
			seed := job.Opt.Seed + uint64(t.trial)
			trial, err := job.Plan.trial(ctx, led, number+1, seed, t.length, job.Opt.capture(t.trial+1))
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() != nil {
				return
			}
			res.Trials[t.trial], res.Errors[t.trial] = trial, err
			if err == nil {
				res.Measured.Add(int64(trial.Gap()))
			}
			if job.Opt.Each != nil {
				job.Opt.Each(t.trial+1, trial, err)
			}
			if left[t.job]--; left[t.job] > 0 {
				return
			}
			res.Predicted, err = job.Plan.Predict(ctx, job.Opt.Runs, job.Opt.Seed, t.length)
			if err == nil {
				err = done(t.job, res)
			}
			if err != nil {
				stop(err)
			}
		}()
	}
	wg.Wait()
	return context.Cause(ctx)
}
