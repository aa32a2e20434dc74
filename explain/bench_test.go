package explain_test

import (
	"testing"

	"github.com/vpnsim/vpnsim/explain"
)

// The seed's case: read, run, recorded and explained, without and with what
// would have happened otherwise.

func BenchmarkExplain(b *testing.B)           { benchmark(b, explain.NoWhatIf) }
func BenchmarkExplainChain(b *testing.B)      { benchmark(b, explain.ChainOnly) }
func BenchmarkExplainEverything(b *testing.B) { benchmark(b, explain.EverySuspect) }

func benchmark(b *testing.B, depth explain.Depth) {
	load := builtin(b, "aws-gcp")
	b.ReportAllocs()
	for i := range b.N {
		mustRun(b, explain.Ask{Load: load, Seed: uint64(i), WhatIf: depth})
	}
}
