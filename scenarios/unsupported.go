package scenarios

import "github.com/vpnsim/vpnsim/profile"

// unsupported are words that people may well write, for things that networks
// have and this program has not. They get a plainer answer than a slip of the
// pen does. feature is what profiles call it.
var unsupported = map[string]struct{ what, feature string }{
	"confederation": {"a confederation", ""},
	"include":       {"an included file", ""},
}

// notSupported answers such a word; the platform's own offer is the help.
func (l *loader) notSupported(word string) (what, help string, ok bool) {
	u, ok := unsupported[word]
	if !ok {
		return "", "", false
	}
	help = "docs/model.md lists what is modelled"
	if p, known := profile.Get(l.platform); known && u.feature != "" {
		if o, known := p.Offers(u.feature); known && !o.Offered {
			help = p.Name + " does not offer it either: " + o.Note
		}
	}
	return u.what, help, true
}
