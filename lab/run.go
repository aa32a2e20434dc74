//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vpnsim/vpnsim/stats"
)

// Run does the trials, and simulates the same. It fails when no trial has succeeded, or
// ctx ends.
func Run(ctx context.Context, p *Plan, opt Options) (*Results, error) {
	length := p.Length(opt)
	led, err := newLedger()
	if err != nil {
		return nil, err
	}
	defer led.close()
	res := &Results{Trials: make([]*Trial, opt.Trials), Errors: make([]error, opt.Trials), Measured: stats.NewHistogram(stats.Millisecond)}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		turns = make(chan struct{}, max(opt.Parallel, 1))
	)
	for i := range opt.Trials {
		turns <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() { <-turns; wg.Done() }()
			if ctx.Err() != nil {
				return
			}
			t, err := p.trial(ctx, led, i+1, opt.Seed+uint64(i), length)
			mu.Lock()
			defer mu.Unlock()
			res.Trials[i], res.Errors[i] = t, err
			if err == nil {
				res.Measured.Add(int64(t.Gap()))
			}
			if opt.Each != nil && ctx.Err() == nil {
				opt.Each(i+1, t, err)
			}
		}()
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if res.Measured.N() == 0 {
		return nil, fmt.Errorf("no trial has succeeded: %w", errors.Join(res.Errors...))
	}
	res.Predicted, err = p.Predict(ctx, opt.Runs, opt.Seed, length)
	return res, err
}
