//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// comingUp is how many trials are started at once: starting daemons is what takes
// processors, and those who measure meanwhile are not to notice it.
const comingUp = 8

// Run does the trials, and simulates the same. It fails when no trial has succeeded, or
// ctx ends; the trials that had ended by then are there, if one had succeeded.
func Run(ctx context.Context, p *Plan, opt Options) (*Results, error) {
	if opt.Pcap != "" {
		if err := os.MkdirAll(opt.Pcap, 0o755); err != nil {
			return nil, err
		}
	}
	all, each := newResults(opt.Trials), opt.Each
	opt.Each = func(number int, t *Trial, err error) {
		all.add(number-1, t, err)
		if each != nil {
			each(number, t, err)
		}
	}
	err := RunAll(ctx, []Job{{p, opt}}, opt.Parallel, func(_ int, res *Results) error {
		all = res
		if res.Measured.N() == 0 {
			return fmt.Errorf("no trial has succeeded: %w", errors.Join(res.Errors...))
		}
		return nil
	})
	if errors.Is(err, context.Canceled) && all.Measured.N() > 0 && all.Predicted == nil {
		all.Interrupted = true
		var failed error
		if all.Predicted, failed = p.Predict(context.WithoutCancel(ctx), opt.Runs, opt.Seed, p.Length(opt)); failed != nil {
			return nil, failed
		}
	}
	return all, err
}

// RunAll does the trials of all jobs, so many at the same time. done is told of each job as it ends, one at a time; the predicted gaps are
// there, too. It fails when done does, or ctx ends, and leaves nothing behind.
func RunAll(ctx context.Context, jobs []Job, parallel int, done func(job int, res *Results) error) error {
	led, err := newLedger()
	if err != nil {
		return err
	}
	defer led.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	tasks := inOrder(jobs)
	results := make([]*Results, len(jobs))
	left := make([]int, len(jobs))
	for j := range jobs {
		results[j], left[j] = newResults(jobs[j].Opt.Trials), jobs[j].Opt.Trials
	}

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
			if ctx.Err() != nil && err != nil {
				return // it has not failed: it was not to go on
			}
			res.add(t.trial, trial, err)
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
