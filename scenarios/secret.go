package scenarios

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Pre-shared keys have no effect on timing and no business in a scenario,
// which is sent to colleagues and kept in repositories. A key that looks like
// one is refused, and its value is wiped from the tree first, so that no later
// message can repeat it.

var secretWords = []string{"psk", "presharedkey", "sharedkey", "secret", "password", "passphrase", "passwd", "privatekey"}

func isSecret(key string) bool {
	key = strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(key))
	for _, w := range secretWords {
		if strings.Contains(key, w) {
			return true
		}
	}
	return false
}

// scrub reports and wipes every secret below n. A mapping is no secret: it
// may be a router that somebody named so.
func (l *loader) scrub(n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && child.Kind != yaml.MappingNode && isSecret(n.Content[i-1].Value) {
			l.error(n.Content[i-1], "remove it: keys change no timing", "secrets do not belong into a scenario")
			l.wiped[n.Content[i-1]] = true
			*child = yaml.Node{Kind: yaml.ScalarNode, Line: child.Line, Column: child.Column}
			continue
		}
		l.scrub(child)
	}
}
