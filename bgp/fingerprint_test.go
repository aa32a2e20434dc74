package bgp

import (
	"net/netip"
	"reflect"
	"testing"
	"time"
	"unsafe"
)

// needNotCount are the fields that no fingerprint holds, and why no later decision
// depends on them.
var needNotCount = map[string]string{
	"Speaker.cfg":        "does not change while the speaker runs",
	"Speaker.hops":       "as cfg",
	"Speaker.hop":        "as cfg",
	"Speaker.damping":    "as cfg",
	"Speaker._":          "room",
	"Source._":           "room",
	"Speaker.own":        "as cfg",
	"Speaker.duels":      "as cfg",
	"Speaker.steady":     "as cfg",
	"Speaker.together":   "as cfg",
	"Speaker.stamp":      "which event it is, for explanations",
	"undecided.stamp":    "which event brought the news, for explanations",
	"Speaker.pathIDs":    "names: which are used counts with what was sent",
	"Speaker.many":       "the identifiers and attributes that were sent are hashed with each entry",
	"Speaker.mem":        "scratch memory and caches",
	"Speaker.first":      "one of entries",
	"Speaker.table":      "holds what entries holds",
	"Speaker.now":        "when the last input came",
	"Path.merit":         "made of the rest",
	"Speaker.appraised":  "as cfg",
	"Speaker.lengthAt":   "as cfg",
	"neighbour.until":    "only with LateTimers, where nobody looks for repetitions",
	"pacer.step":         "how long the wait for the last tick was, for explanations",
	"Path.Age":           "only where rules ask for it, which these do not",
	"Path.Stamp":         "which event wrote it, for explanations",
	"Path.kept":          "whose memory it is",
	"Attrs.summary":      "made of the rest",
	"neighbour.group":    "as cfg",
	"beside.open":        "what decisions need of it is in source, or worked out of it",
	"neighbour.tail":     "where head and departure.next lead",
	"neighbour.external": "as cfg",
	"neighbour.way":      "as cfg",
	"neighbour.plain":    "as cfg",
	"Speaker.uniform":    "as cfg",
	"Speaker.brief":      "as cfg",
	"Speaker.paying":     "as cfg",
	"Speaker.several":    "as many",
	"entry.index":        "where it stands in entries",
	"entry.route":        "made of the rest when somebody asks for it",
	"entry.ranked":       "a way to find the same best path sooner",
	"entry.touched":      "as ranked",
	"arrival.med":        "said by path, too",
	"arrival.numbered":   "said by path, too",
	"entry.cands":        "counts what is in in",
	"entry.meds":         "counts what is in in",
}

// fingerprinted is a speaker that has something of everything, three quarters of a
// second later.
func fingerprinted() (*Speaker, func() uint64) {
	const now = 10 * time.Second
	rules, _ := RulesetFor("rfc4271")
	cfg := SpeakerConfig{AS: 65000, ID: netip.MustParseAddr("1.1.1.1"), Rules: rules, Multipath: 2, Phase: 300 * time.Millisecond, Rand: func() uint64 { return 0 }}
	for i, m := range []MRAI{
		{Mode: MRAISinceLastUpdate, Interval: 5 * time.Second},
		{Mode: MRAISinceLastUpdate, Interval: 5 * time.Second, PerPrefix: true},
		{Mode: MRAISinceLastUpdate, Interval: 5 * time.Second, Granularity: time.Second},
		{Mode: MRAITick, Interval: 5 * time.Second},
		{Mode: MRAITick, Interval: 5 * time.Second, Jitter: RFCJitter},
		{Mode: MRAIOutDelay, Interval: 5 * time.Second},
		{Mode: MRAISinceLastUpdate, Interval: 5 * time.Second, First: time.Second},
	} {
		cfg.Peers = append(cfg.Peers, &PeerConfig{AS: 65001 + uint32(i), Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}),
			Local: netip.AddrFrom4([4]byte{192, 0, 2, 100 + byte(i)}), PeerGroup: &PeerGroup{
				MRAI: m, Damping: &Damping{HalfLife: 15 * time.Minute, Suppress: 2000, Reuse: 750, Max: time.Hour}}})
	}
	s := NewSpeaker(cfg)
	announce := func(p PeerID, prefix string, as ...uint32) {
		a := &Attrs{ASPath: ASPath{{ASNs: as}}, NextHop: netip.AddrFrom4([4]byte{192, 0, 2, byte(p)}), Communities: []uint32{7}, ClusterList: []netip.Addr{netip.MustParseAddr("2.2.2.2")}}
		s.Step(nil, p, Input{Kind: InUpdate, Now: now, Msg: &Message{Type: MsgUpdate, Update: &Update{Attrs: a, NLRI: []netip.Prefix{netip.MustParsePrefix(prefix)}}}})
	}
	for i := range cfg.Peers {
		s.Step(nil, PeerID(i), Input{Kind: InPeerUp, Now: now, Open: &Open{ID: netip.AddrFrom4([4]byte{3, 3, 3, byte(i)})}})
	}
	announce(0, "10.0.0.0/8", 65001, 1)
	announce(1, "10.0.0.0/8", 65002, 1)
	announce(2, "10.0.0.0/8", 65000, 1) // a loop
	announce(1, "10.1.0.0/16", 65002, 1)
	announce(0, "10.1.0.0/16", 65001)
	announce(0, "10.0.0.0/8", 65001, 2, 3)
	for as := range uint32(9) {
		announce(0, "10.2.0.0/16", 65001, 7+as) // it flaps
	}
	s.undecided = append(s.undecided, undecided{s.entries[0], 7}) // as with Together
	return s, func() uint64 { return s.Fingerprint(now + 750*time.Millisecond) }
}

// Whatever is changed in the state of a speaker, or in an UPDATE, the fingerprint
// is another one: each field counts for some peer or prefix.
func TestEveryFieldCounts(t *testing.T) {
	s, of := fingerprinted()
	c := changer{t: t, of: of, seen: map[string]bool{}, counts: map[string]bool{}, skipped: map[string]bool{}}
	c.walk(reflect.ValueOf(s).Elem())
	u := &Update{Withdrawn: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}, Attrs: s.entries[0].in[0].raw, NLRI: []netip.Prefix{netip.MustParsePrefix("10.3.0.0/16")}}
	c.of = u.Fingerprint
	c.walk(reflect.ValueOf(u).Elem())
	u = &Update{Extra: &Extra{Ends: WithIPv6, Withdrawn: []uint32{1}, NLRI: []uint32{2}}}
	c.of = u.Fingerprint
	c.walk(reflect.ValueOf(u).Elem())
	for f := range c.seen {
		if !c.counts[f] {
			t.Errorf("%s can change without a change of the fingerprint; add it, or say in this test why it need not count", f)
		}
	}
	for f := range needNotCount {
		if !c.skipped[f] {
			t.Errorf("there is no %s that need not count", f)
		}
	}
	for _, f := range []string{"neighbour.head", "departure.next", "neighbour.gated", "departure.sent", "departure.waits", "arrival.bar", "pacer.line", "pacer.tick", "pacer.last",
		"Speaker.since", "Speaker.damped", "Speaker.undecided", "flap.merit", "Attrs.ASPath", "Segment.ASNs", "Source.Weight", "Update.NLRI", "Extra.Ends"} {
		if !c.seen[f] {
			t.Errorf("%s was not tried: the speaker of this test has none", f)
		}
	}
}

// changer changes one thing after the other.
type changer struct {
	t                     *testing.T
	of                    func() uint64
	seen, counts, skipped map[string]bool
}

func (c *changer) walk(v reflect.Value) {
	for i := range v.NumField() {
		name := v.Type().Name() + "." + v.Type().Field(i).Name
		if needNotCount[name] != "" {
			c.skipped[name] = true
			continue
		}
		f := v.Field(i)
		c.field(name, reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()) // unexported ones, too
	}
}

func (c *changer) field(name string, f reflect.Value) {
	switch f.Interface().(type) {
	case netip.Addr:
		c.try(name, f, reflect.ValueOf(netip.MustParseAddr("9.9.9.9")))
		return
	case netip.Prefix:
		c.try(name, f, reflect.ValueOf(netip.MustParsePrefix("9.0.0.0/8")))
		return
	}
	other := reflect.New(f.Type()).Elem()
	switch f.Kind() {
	case reflect.Map:
		for _, k := range f.MapKeys() {
			was, one := f.MapIndex(k), reflect.New(f.Type().Elem()).Elem()
			if was.Kind() == reflect.Pointer {
				c.walk(was.Elem())
				c.tryWith(name, func() { f.SetMapIndex(k, reflect.Value{}) }, func() { f.SetMapIndex(k, was) })
				continue
			}
			one.SetInt(was.Int() + 1)
			c.tryWith(name, func() { f.SetMapIndex(k, one) }, func() { f.SetMapIndex(k, was) })
		}
		return
	case reflect.Bool:
		other.SetBool(!f.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		other.SetInt(f.Int() + 1)
		if f.Type() == reflect.TypeFor[time.Duration]() {
			other.SetInt(f.Int() + int64(time.Second))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		other.SetUint(f.Uint() ^ 1)
	case reflect.Struct:
		c.walk(f)
		return
	case reflect.Array:
		for i := range f.Len() {
			c.field(name, f.Index(i))
		}
		return
	case reflect.Pointer:
		if f.IsNil() {
			return
		}
		c.walk(f.Elem())
	case reflect.Slice:
		if f.Len() == 0 {
			return
		}
		for i := range f.Len() {
			c.field(name, f.Index(i))
		}
		other.Set(f.Slice(0, f.Len()-1))
	default:
		c.t.Errorf("%s: nothing is known about a %s; add it to the fingerprint and to this test, or to what need not count", name, f.Kind())
		return
	}
	c.try(name, f, other)
}

// try changes one field, looks, and changes it back.
func (c *changer) try(name string, f, other reflect.Value) {
	was := reflect.New(f.Type()).Elem()
	was.Set(f)
	c.tryWith(name, func() { f.Set(other) }, func() { f.Set(was) })
}

func (c *changer) tryWith(name string, change, back func()) {
	c.seen[name] = true
	before := c.of()
	change()
	defer back()
	defer func() {
		if recover() != nil {
			c.counts[name] = true // what is not there was needed
		}
	}()
	if c.of() != before {
		c.counts[name] = true
	}
}

// Two speakers that have come to the same state by other ways are alike, although
// their counters are not; which path is older counts.
func TestFingerprintIsOfTheStateNotOfTheWay(t *testing.T) {
	rules, _ := RulesetFor("rfc4271")
	cfg := SpeakerConfig{AS: 65000, ID: netip.MustParseAddr("1.1.1.1"), Rules: rules, Peers: []*PeerConfig{{AS: 65001, Addr: netip.MustParseAddr("192.0.2.1")}, {AS: 65002, Addr: netip.MustParseAddr("192.0.2.2")}}}
	s := NewSpeaker(cfg)
	p := netip.MustParsePrefix("10.1.0.0/16")
	say := func(peer PeerID, u *Update) {
		s.Step(nil, peer, Input{Kind: InUpdate, Msg: &Message{Type: MsgUpdate, Update: u}})
	}
	announce := func(peer PeerID) {
		say(peer, &Update{Attrs: &Attrs{ASPath: ASPath{{ASNs: []uint32{65001 + uint32(peer)}}}, NextHop: cfg.Peers[peer].Addr}, NLRI: []netip.Prefix{p}})
	}
	for i := range PeerID(2) {
		s.Step(nil, i, Input{Kind: InPeerUp, Open: &Open{ID: netip.AddrFrom4([4]byte{3, 3, 3, byte(i)})}})
		announce(i)
	}
	before := s.Fingerprint(0)
	again := func(peer PeerID) uint64 {
		say(peer, &Update{Withdrawn: []netip.Prefix{p}})
		announce(peer)
		return s.Fingerprint(time.Hour)
	}
	if again(0) == before {
		t.Error("the other path is the older one now, and the fingerprint is the same")
	}
	if again(1) != before {
		t.Error("the same paths in the same order of age, and the fingerprint is another one")
	}
}
