package bgp

import (
	"testing"
	"unsafe"
)

// What there is very much of fills whole lines of memory (64 octets), so that none of
// it lies across one line more than it needs.
func TestWholeLinesOfMemory(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("needs pointers of 64 bits: they are half as long here")
	}
	for name, size := range map[string]uintptr{
		"Speaker": unsafe.Sizeof(Speaker{}), "neighbour": unsafe.Sizeof(neighbour{}), "Path": unsafe.Sizeof(Path{}), "Source": unsafe.Sizeof(Source{}),
		"what of Attrs is looked at when they come": unsafe.Offsetof(Attrs{}.ASPath),
	} {
		if size%64 != 0 {
			t.Errorf("%s: %d octets", name, size)
		}
	}
}
