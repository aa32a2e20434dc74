package sim

import "math/bits"

// Random numbers come from named streams: what a stream gives depends on the
// seed of the run and on its own name, so that a new consumer changes no other
// consumer's numbers, and the same seed at two settings of a parameter gives
// common random numbers.
//
// The generator is SplitMix64. It has one word of state and random access: the
// n-th number of a stream can be computed without the ones before it, which is
// what lets the delay of the n-th packet be known without handling the others.

const golden = 0x9e3779b97f4a7c15

// mix64 is the finalizer of SplitMix64: a bijection that looks random.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hash is an event's part of the digest: the two halves of a product, which
// depend on all bits of both factors.
func hash(at Time, to ActorID, kind Kind, arg uint64) uint64 {
	hi, lo := bits.Mul64(uint64(at)^golden, arg*0xd1342543de82ef95^uint64(to)<<48^uint64(kind)<<32^0xbf58476d1ce4e5b9)
	return hi ^ lo
}

// Stream is a sequence of random numbers.
type Stream struct{ state uint64 }

// Uint64 returns the next 64 random bits.
func (s *Stream) Uint64() uint64 {
	s.state += golden
	return mix64(s.state)
}

// At returns the n-th number of the stream, counted from 0 at its start,
// without moving it. It is only for streams that are never moved.
func (s Stream) At(n uint64) uint64 { return mix64(s.state + (n+1)*golden) }

// Name is the hashed name of a stream. Hashing it once saves time in programs
// that start thousands of runs.
type Name uint64

// StreamName hashes a name (FNV-1a).
func StreamName(name string) Name {
	h := uint64(14695981039346656037)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return Name(h)
}

// Rand returns the stream of that name, at its start.
func (k *Kernel) Rand(name Name) Stream {
	return Stream{mix64(k.seed*golden + mix64(uint64(name)))}
}

// Reseed has Rand give the streams of another run from now on.
func (k *Kernel) Reseed(seed uint64) { k.seed = seed }

// HashStream is a stream that starts from a number rather than a name: what it
// gives is a hash of that number.
func HashStream(x uint64) Stream { return Stream{mix64(x)} }
