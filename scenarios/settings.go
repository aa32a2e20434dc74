package scenarios

import (
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// groups are the first words of the settings' paths: bgp, fib, …
var groups = func() []string {
	var gs []string
	for k := topology.Key(0); k < topology.NumKeys; k++ {
		if g, _, _ := strings.Cut(k.Info().Path, "."); !slices.Contains(gs, g) {
			gs = append(gs, g)
		}
	}
	return gs
}()

// endGroups are those that the end of a link may have otherwise than its router.
var endGroups = []string{"bgp", "bfd", "vpn"}

// settings reads the given groups of o into s, over what is there.
func (l *loader) settings(o *object, s *topology.Settings, groups []string) {
	for _, group := range groups {
		n := o.get(group)
		if n == nil {
			continue
		}
		g := l.object(n, group)
		if g == nil {
			continue
		}
		for k := topology.Key(0); k < topology.NumKeys; k++ {
			name, ok := strings.CutPrefix(k.Info().Path, group+".")
			if !ok {
				continue
			}
			n := g.get(name)
			text, ok := l.text(n, k.String())
			if !ok {
				continue
			}
			value, err := topology.ParseValue(k, text)
			if err != nil {
				l.error(n, cutAtComma(text), "%v", err)
				continue
			}
			s[k] = topology.Setting{Value: value, Origin: l.origin(n), Set: true}
		}
		g.close()
	}
}

// settingPath cuts a path down to the part that names a setting:
// routers.aws.bgp.hold and tunnels.tun1.aws.bgp.hold to bgp.hold.
func settingPath(steps []step) string {
	skip := 2
	if linkSection(steps[0].key) {
		skip = 3
	}
	if len(steps) <= skip {
		return ""
	}
	return join(steps[skip:])
}
