package network_test

import (
	"testing"

	"github.com/vpnsim/vpnsim/network"
)

// A run whose quiet stretches are fast-forwarded gives the result of the plain
// run: every event has its place in the digest and in the count, every echo
// its round trip and TTL, and the outages are the same to the nanosecond.
func TestFastForwardingChangesNothing(t *testing.T) {
	designs, seeds := uint64(400), uint64(3)
	if testing.Short() {
		designs = 100
	}
	bad := 0
	for i := range designs + designs/4 {
		text := randomScenario(i)
		if i >= designs {
			text = restartScenario(i)
		}
		d := mustParse(t, text)
		plain, skipping := network.New(d, network.Options{NoSkip: true}), network.New(d, network.Options{})
		for seed := range seeds {
			want, got := snap(plain.Run(seed)), snap(skipping.Run(seed))
			if diff := want.diff(got); diff != "" {
				if bad++; bad <= 3 {
					t.Errorf("design %d, seed %d: plain, fast-forwarded: %s\n%s", i, seed, diff, text)
				}
				break
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d designs differ", bad, designs)
	}
}

// The same for what ships with the program, over more seeds.
func TestFastForwardingChangesNoBuiltin(t *testing.T) {
	for _, d := range designs(t, 0) {
		plain, skipping := network.New(d, network.Options{NoSkip: true}), network.New(d, network.Options{})
		for seed := range uint64(40) {
			if diff := snap(plain.Run(seed)).diff(snap(skipping.Run(seed))); diff != "" {
				t.Errorf("%s, seed %d: plain, fast-forwarded: %s", d.Name, seed, diff)
			}
		}
	}
}
