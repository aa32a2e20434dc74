package packet

// pcapng files: nanosecond timestamps, several interfaces, packets that start
// at the IP header (LINKTYPE_RAW).

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Capture writes a pcapng file.
type Capture struct {
	w  io.Writer
	ng *pcapgo.NgWriter
}

// NewCapture starts a file with one interface for each name.
func NewCapture(w io.Writer, interfaces []string) (*Capture, error) {
	if len(interfaces) == 0 {
		return nil, errors.New("a capture needs an interface")
	}
	face := func(name string) pcapgo.NgInterface {
		return pcapgo.NgInterface{Name: name, LinkType: layers.LinkTypeRaw, TimestampResolution: 9}
	}
	// Nothing about the machine goes into the file: the same run writes the
	// same bytes everywhere.
	ng, err := pcapgo.NewNgWriterInterface(w, face(interfaces[0]), pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "vpnsim"},
	})
	if err != nil {
		return nil, err
	}
	for _, name := range interfaces[1:] {
		if _, err := ng.AddInterface(face(name)); err != nil {
			return nil, err
		}
	}
	return &Capture{w, ng}, nil
}

// Write adds a packet seen on an interface. A comment is shown beside the
// packet by Wireshark; an empty one is none.
func (c *Capture) Write(iface int, at time.Time, packet []byte, comment string) error {
	if comment == "" {
		return c.ng.WritePacket(gopacket.CaptureInfo{
			Timestamp: at, CaptureLength: len(packet), Length: len(packet), InterfaceIndex: iface,
		}, packet)
	}
	// pcapgo writes no packet options, so this block is made here, behind what
	// pcapgo still holds.
	if err := c.ng.Flush(); err != nil {
		return err
	}
	_, err := c.w.Write(commented(iface, at, packet, comment))
	return err
}

// Flush writes what is still held back.
func (c *Capture) Flush() error { return c.ng.Flush() }

// commented is an Enhanced Packet Block with an opt_comment.
func commented(iface int, at time.Time, packet []byte, comment string) []byte {
	const (
		enhancedPacket = 6
		optComment     = 1
		optEnd         = 0
	)
	le := binary.LittleEndian
	pad := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	ts := uint64(at.UnixNano())
	b := le.AppendUint32(nil, enhancedPacket)
	b = le.AppendUint32(b, 0) // the length, below
	b = le.AppendUint32(b, uint32(iface))
	b = le.AppendUint32(b, uint32(ts>>32))
	b = le.AppendUint32(b, uint32(ts))
	b = le.AppendUint32(b, uint32(len(packet)))
	b = le.AppendUint32(b, uint32(len(packet)))
	b = pad(append(b, packet...))
	b = le.AppendUint16(b, optComment)
	b = le.AppendUint16(b, uint16(len(comment)))
	b = pad(append(b, comment...))
	b = le.AppendUint32(b, optEnd)
	b = le.AppendUint32(b, uint32(len(b)+4))
	le.PutUint32(b[4:], uint32(len(b)))
	return b
}
