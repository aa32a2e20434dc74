package profile

import (
	"fmt"

	"github.com/vpnsim/vpnsim/topology"
)

// Profile is one system's behaviour. Nobody changes it.
type Profile struct {
	Name string
	Doc  string // one line
	Base string // the profile that it extends; "" for rfc4271

	settings topology.Settings
	ranges   map[topology.Key]Range
	offers   map[string]Offer
}

// Range is what a platform lets its users configure.
type Range struct {
	Fixed    bool // not configurable: the profile's value is the only one
	Min, Max topology.Value
	Source   string
	Note     string
}

// Offer says whether a platform has a feature.
type Offer struct {
	Feature string
	Offered bool
	Source  string
	Note    string
}

// Features that offers speak of.
var Features = []string{"add-path", "bfd", "direct-connect", "dual-stack", "ecmp", "graceful-restart", "ike-start", "ipv6"}

// Get finds a profile by its name.
func Get(name string) (*Profile, bool) {
	for i := range profiles {
		if profiles[i].Name == name {
			return &profiles[i], true
		}
	}
	return nil, false
}

// Names lists the profiles in alphabetical order.
func Names() []string {
	names := make([]string, len(profiles))
	for i := range profiles {
		names[i] = profiles[i].Name
	}
	return names
}

// Settings has a value with its origin for every key; it is the caller's.
func (p *Profile) Settings() topology.Settings { return p.settings }

// Range tells how far users of the platform may change k; false: as far as
// the key itself goes.
func (p *Profile) Range(k topology.Key) (Range, bool) {
	r, ok := p.ranges[k]
	return r, ok
}

// Offers tells what is known about a feature; false: nothing.
func (p *Profile) Offers(feature string) (Offer, bool) {
	o, ok := p.offers[feature]
	return o, ok
}

// Check says why the platform does not let its users set k to v; nil: it does.
func (p *Profile) Check(k topology.Key, v topology.Value) error {
	r, ok := p.ranges[k]
	if !ok {
		return nil
	}
	if r.Fixed {
		if own := p.settings[k].Format(k); v.Format(k) != own {
			return fmt.Errorf("%s %s: %s has %s and no way to change it", k, v.Format(k), p.Name, own)
		}
		return nil
	}
	least, most := bounds(k, v)
	if lo, _ := bounds(k, r.Min); least < lo {
		return fmt.Errorf("%s %s: %s allows %s at least", k, v.Format(k), p.Name, r.Min.Format(k))
	}
	if _, hi := bounds(k, r.Max); most > hi {
		return fmt.Errorf("%s %s: %s allows %s at most", k, v.Format(k), p.Name, r.Max.Format(k))
	}
	return nil
}

func bounds(k topology.Key, v topology.Value) (lo, hi int64) {
	if k.Info().Type == topology.TypeDuration {
		return int64(v.Dist.Min()), int64(v.Dist.Max())
	}
	return v.Int, v.Int
}
