package measured

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/report"
)

// Case are all trials that were made under the same conditions.
type Case struct {
	Name           string // of its matrix, or what tells it apart
	Scenario       string // as it was named in the first of its documents
	ScenarioSHA256 string
	Sets           []string
	Routers        []report.LabPlayer
	Tunnel         string
	LengthS        report.Seconds
	Trials         []report.LabTrial // each once, in order of seed
	Duplicates     int               // trials that were there more than once
	// What need not be the same, in order: the versions that vpnsim, the daemons and
	// the kernel had.
	Versions, Programs, Kernels []string
	From                        []string // files
	key                         string
	content                     []string // of the trials, as text
}

// Merge puts documents of the same case together. Conditions are the same where the name
// of the case, the scenario's hash, its settings, the daemons, the carrier of tunnels, the
// length of a trial and the version of the format are. A trial counts once, however many documents it
// is in: two are the same when everything is that was measured, to the nanosecond.
// So the order of documents does not matter, nor how often one is read. Cases are in
// order of name.
func Merge(docs []report.LabDocument) []*Case {
	byKey := map[string]*Case{}
	for i := range docs {
		one := single(&docs[i])
		if have := byKey[one.key]; have != nil {
			have.join(one)
		} else {
			byKey[one.key] = one
		}
	}
	var list []*Case
	for _, c := range byKey {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *Case) int { return cmp.Or(natural(a.Name, b.Name), cmp.Compare(a.key, b.key)) })
	return list
}

// single is the case of one document.
func single(d *report.LabDocument) *Case {
	c := &Case{Name: d.Case, Scenario: d.Scenario, ScenarioSHA256: d.ScenarioSHA256, Sets: slices.Clone(d.Sets), Tunnel: d.Tunnel, LengthS: d.LengthS,
		Versions: []string{d.Version}, Kernels: []string{d.Kernel}, From: []string{d.File}}
	who := []string{}
	for _, r := range d.Routers {
		c.Routers = append(c.Routers, report.LabPlayer{Router: r.Router, Daemon: r.Daemon})
		c.Programs = append(c.Programs, r.Program)
		who = append(who, r.Router+"="+r.Daemon)
	}
	conditions := []any{d.VPNSim, d.Case, d.ScenarioSHA256, slices.Concat([]string{}, d.Sets), who, d.Tunnel, int64(d.LengthS)}
	key, err := json.Marshal(conditions)
	if err != nil {
		panic(err) // texts and numbers
	}
	c.key = string(key)
	if c.Name == "" {
		c.Name = strings.Join(slices.Concat([]string{d.Scenario}, who, d.Sets), " ")
		if d.Tunnel != "plain" {
			c.Name += " " + d.Tunnel
		}
	}
	for i := range d.Trials {
		text, err := json.Marshal(&d.Trials[i])
		if err != nil {
			panic(err)
		}
		c.Trials, c.content = append(c.Trials, d.Trials[i]), append(c.content, string(text))
	}
	c.tidy()
	return c
}

// join adds what another document of the same case has.
func (c *Case) join(o *Case) {
	c.Scenario = min(c.Scenario, o.Scenario)
	if c.Name != o.Name { // made of the scenario's path, and the paths are two
		c.Name = min(c.Name, o.Name)
	}
	c.Versions, c.Programs, c.Kernels = slices.Concat(c.Versions, o.Versions), slices.Concat(c.Programs, o.Programs), slices.Concat(c.Kernels, o.Kernels)
	c.From = slices.Concat(c.From, o.From)
	c.Trials, c.content = slices.Concat(c.Trials, o.Trials), slices.Concat(c.content, o.content)
	c.Duplicates += o.Duplicates
	c.tidy()
}

// tidy puts lists in order, and takes out what is there twice.
func (c *Case) tidy() {
	for _, list := range []*[]string{&c.Versions, &c.Programs, &c.Kernels, &c.From} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	order := make([]int, len(c.Trials))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(c.Trials[i].Seed, c.Trials[j].Seed), cmp.Compare(c.content[i], c.content[j]))
	})
	trials, content := c.Trials[:0:0], c.content[:0:0]
	for _, i := range order {
		if n := len(content); n > 0 && content[n-1] == c.content[i] {
			c.Duplicates++
			continue
		}
		trials, content = append(trials, c.Trials[i]), append(content, c.content[i])
	}
	c.Trials, c.content = trials, content
}

// Good are the trials that have succeeded.
func (c *Case) Good() (list []report.LabTrial) {
	for i := range c.Trials {
		if c.Trials[i].Error == "" {
			list = append(list, c.Trials[i])
		}
	}
	return list
}

// Conditions in words: what tells a case from others of its name.
func (c *Case) Conditions() string {
	var who []string
	for _, r := range c.Routers {
		who = append(who, r.Router+"="+r.Daemon)
	}
	text := fmt.Sprintf("%s (sha256 %.8s), %s, %s s", c.Scenario, c.ScenarioSHA256, strings.Join(who, " "), c.LengthS)
	if len(c.Sets) > 0 {
		text += ", --set " + strings.Join(c.Sets, " --set ")
	}
	return text
}

// natural compares names so that hold=9s comes before hold=15s: digits are numbers.
func natural(a, b string) int {
	digits := func(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
	for a != "" && b != "" {
		n, m := digits(a), digits(b)
		if n > 0 && m > 0 {
			x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
			if d := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(n, m)); d != 0 {
				return d
			}
			a, b = a[n:], b[m:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}
