package wire

import "testing"

// What a run pays for each message when it goes through real octets.
func BenchmarkMessage(b *testing.B) {
	for _, s := range samples {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				raw, err := Encode(s.msg)
				if err != nil {
					b.Fatal(err)
				}
				if _, n := Decode(raw); n != nil {
					b.Fatal(n)
				}
			}
		})
	}
}
