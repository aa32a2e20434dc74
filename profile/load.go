package profile

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/vpnsim/vpnsim/topology"
)

// The files are read strictly: an unknown field, an unknown key, a value out
// of its key's range or a claim without a source is an error. All errors are
// reported at once.

//go:embed data/*.yaml
var data embed.FS

var profiles = mustLoad(data)

func mustLoad(f fs.FS) []Profile {
	p, err := load(f)
	if err != nil {
		panic("profile: the program's own data is broken:\n" + err.Error())
	}
	return p
}

type file struct {
	Doc     string       `yaml:"doc"`
	Extends string       `yaml:"extends"`
	Values  []fileValue  `yaml:"values"`
	Ranges  []fileRange  `yaml:"ranges"`
	Offers  []fileOffers `yaml:"offers"`
}

type fileValue struct {
	Key    string    `yaml:"key"`
	Value  yaml.Node `yaml:"value"`
	Status string    `yaml:"status"`
	Source string    `yaml:"source"`
	Note   string    `yaml:"note"`
}

type fileRange struct {
	Key    string    `yaml:"key"`
	Fixed  bool      `yaml:"fixed"`
	Min    yaml.Node `yaml:"min"`
	Max    yaml.Node `yaml:"max"`
	Source string    `yaml:"source"`
	Note   string    `yaml:"note"`
}

type fileOffers struct {
	Feature string `yaml:"feature"`
	Offered bool   `yaml:"offered"`
	Source  string `yaml:"source"`
	Note    string `yaml:"note"`
}

// load reads all profiles of a file system, in alphabetical order.
func load(f fs.FS) ([]Profile, error) {
	names, err := fs.Glob(f, "data/*.yaml")
	if err != nil {
		return nil, err
	}
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], ".yaml") // frr comes before frr-10
	}
	slices.Sort(names)
	l := loader{files: make([]file, len(names)), out: make([]Profile, len(names)), state: make([]uint8, len(names))}
	for i, name := range names {
		l.out[i].Name = path.Base(name)
		name += ".yaml"
		text, err := fs.ReadFile(f, name)
		if err == nil {
			err = yaml.Load(text, &l.files[i], yaml.WithKnownFields())
		}
		if err != nil {
			l.errs = append(l.errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	for i := range l.out {
		l.build(i)
	}
	return l.out, errors.Join(l.errs...)
}

type loader struct {
	files []file
	out   []Profile
	state []uint8 // 0 not begun, 1 begun, 2 done
	errs  []error
}

func (l *loader) errorf(i int, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s: %w", l.out[i].Name, fmt.Errorf(format, args...)))
}

// build makes profile i, after the one that it extends.
func (l *loader) build(i int) {
	p, f := &l.out[i], &l.files[i]
	if l.state[i] != 0 {
		if l.state[i] == 1 {
			l.errorf(i, "extends itself")
		}
		return
	}
	l.state[i] = 1
	defer func() { l.state[i] = 2 }()
	p.Doc, p.Base = f.Doc, f.Extends
	p.ranges, p.offers = map[topology.Key]Range{}, map[string]Offer{}
	if p.Doc == "" {
		l.errorf(i, "has no doc")
	}
	if p.Base != "" {
		b := slices.IndexFunc(l.out, func(q Profile) bool { return q.Name == p.Base })
		if b < 0 {
			l.errorf(i, "extends %q, which is not there", p.Base)
		} else {
			l.build(b)
			base := &l.out[b]
			p.settings = base.settings
			for k := range topology.NumKeys {
				if r, ok := base.ranges[k]; ok {
					p.ranges[k] = r
				}
			}
			for _, name := range Features {
				if o, ok := base.offers[name]; ok {
					p.offers[name] = o
				}
			}
		}
	}
	l.values(i)
	l.rangesAndOffers(i)
	for k := range topology.NumKeys {
		if !p.settings[k].Set {
			l.errorf(i, "has no value for %s", k)
		}
	}
}

var statuses = map[string]topology.Status{
	"assumed": topology.Assumed, "documented": topology.Documented,
	"measured": topology.Measured, "standard": topology.Standard,
}

func (l *loader) values(i int) {
	p := &l.out[i]
	var seen [topology.NumKeys]bool
	for _, v := range l.files[i].Values {
		k, ok := topology.KeyByPath(v.Key)
		if !ok {
			l.errorf(i, "unknown key %q", v.Key)
			continue
		}
		if seen[k] {
			l.errorf(i, "%s stands twice", k)
		}
		seen[k] = true
		status, ok := statuses[v.Status]
		if !ok {
			l.errorf(i, "%s: unknown status %q", k, v.Status)
		}
		switch {
		case status != topology.Assumed && v.Source == "":
			l.errorf(i, "%s is %s, but by whom?", k, v.Status)
		case status == topology.Assumed && v.Source == "" && v.Note == "":
			l.errorf(i, "%s is assumed, but why?", k)
		}
		value, err := topology.ParseValue(k, v.Value.Value)
		if err != nil {
			l.errorf(i, "%w", err)
			continue
		}
		p.settings[k] = topology.Setting{Value: value, Set: true,
			Origin: topology.Origin{Status: status, Profile: p.Name, Source: v.Source, Note: v.Note}}
	}
}

func (l *loader) rangesAndOffers(i int) {
	p := &l.out[i]
	for _, r := range l.files[i].Ranges {
		k, ok := topology.KeyByPath(r.Key)
		if !ok {
			l.errorf(i, "range of an unknown key %q", r.Key)
			continue
		}
		if r.Source == "" {
			l.errorf(i, "range of %s: who says so?", k)
		}
		out := Range{Fixed: r.Fixed, Source: r.Source, Note: r.Note}
		if !r.Fixed {
			var err1, err2 error
			out.Min, err1 = topology.ParseValue(k, r.Min.Value)
			out.Max, err2 = topology.ParseValue(k, r.Max.Value)
			if err := errors.Join(err1, err2); err != nil {
				l.errorf(i, "range of %w", err)
				continue
			}
		}
		p.ranges[k] = out
	}
	for _, o := range l.files[i].Offers {
		if !slices.Contains(Features, o.Feature) {
			l.errorf(i, "unknown feature %q", o.Feature)
		}
		if o.Source == "" && o.Note == "" {
			l.errorf(i, "feature %s: who says so?", o.Feature)
		}
		p.offers[o.Feature] = Offer(o)
	}
	// A range that leaves out the profile's own value is a mistake in one of
	// the two.
	for k := range topology.NumKeys {
		if p.settings[k].Set {
			if err := p.Check(k, p.settings[k].Value); err != nil {
				l.errorf(i, "its own %w", err)
			}
		}
	}
}
