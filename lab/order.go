package lab

import (
	"cmp"
	"slices"
	"time"
)

// In which order trials are done, and how long all of them take.

// task is a trial of a job.
type task struct {
	job, trial int
	length     time.Duration // of what it measures
}

// inOrder are the trials of all jobs, in turn the longest of those that are left and the
// shortest: what is short has to be brought up more often, and were it all at the end, the
// machine would be busy with nothing else.
func inOrder(jobs []Job) (tasks []task) {
	for j := range jobs {
		length := jobs[j].Plan.Length(jobs[j].Opt)
		for t := range jobs[j].Opt.Trials {
			tasks = append(tasks, task{j, t, length})
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(b.length, a.length) })
	mixed := make([]task, len(tasks))
	for i := range mixed {
		if i%2 == 0 {
			mixed[i] = tasks[i/2]
		} else {
			mixed[i] = tasks[len(tasks)-1-i/2]
		}
	}
	return mixed
}

// weight of a trial among those that run at the same time: a trial with two routers is
// what --parallel counts.
func (p *Plan) weight() int { return max(1, (len(p.Design.Routers)+1)/2) }

// Estimate is about how long RunAll takes: each trial begins when there is room for it and
// for all before it.
func Estimate(jobs []Job, parallel int) (all time.Duration) {
	tasks := inOrder(jobs)
	room := 0
	for _, t := range tasks {
		room += jobs[t.job].Plan.weight()
	}
	free := make([]time.Duration, max(min(parallel, room), 1)) // when each place is, in order
	for _, t := range tasks {
		plan := jobs[t.job].Plan
		n := min(plan.weight(), len(free))
		end := free[n-1] + t.length + plan.Overhead()
		free = slices.Delete(free, 0, n)
		at, _ := slices.BinarySearch(free, end)
		free = slices.Insert(free, at, slices.Repeat([]time.Duration{end}, n)...)
		all = max(all, end)
	}
	return all
}
