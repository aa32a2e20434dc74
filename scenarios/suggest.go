package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// maxCompared names are compared with a misspelt one.
const maxCompared = 1000

// maxListed names are listed when none of them looks like what was written:
// everything that a story can say, but not every setting.
const maxListed = 24

// didYouMean finds the one of known that looks like a slip of text, and
// otherwise lists them when they are few.
func didYouMean(text string, known []string) string {
	if len(known) > maxCompared {
		return ""
	}
	best, begins, similarity := "", "", 0.0
	for _, k := range known {
		s := levenshtein.Match(strings.ToLower(text), strings.ToLower(k), nil)
		if sorted(text) == sorted(k) {
			s = max(s, 0.9) // letters in the wrong order: gpc for gcp
		}
		if s > similarity {
			best, similarity = k, s
		}
		if len(k) > max(2, len(begins)) && strings.HasPrefix(strings.ToLower(text), strings.ToLower(k)) {
			begins = k // more than it takes: holdtime for hold
		}
	}
	switch {
	case similarity >= 0.6:
		return fmt.Sprintf("did you mean %q?", best)
	case begins != "":
		return fmt.Sprintf("did you mean %q?", begins)
	case len(known) == 0:
		return "there are none"
	case len(known) <= maxListed:
		return "known: " + strings.Join(known, ", ")
	}
	return ""
}

func sorted(text string) string {
	letters := []rune(strings.ToLower(text))
	slices.Sort(letters)
	return string(letters)
}

// DidYouMean is what the messages of this package use, for names that a user
// gives on the command line.
func DidYouMean(text string, known []string) string { return didYouMean(text, known) }
