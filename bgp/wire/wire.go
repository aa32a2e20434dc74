// Package wire turns bgp.Message into the octets of RFC 4271 §4 and back. It
// is the only importer of gobgp in the product: gobgp's packet/bgp writes and
// reads the octets, this package knows what may be asked of it.
//
// Encoding is a translation of structs. AS paths always have four octets a
// number (RFC 6793), all capabilities stand in one optional parameter
// (RFC 5492 §4), and what a message can't say on the wire is an error.
//
// Decoding is two steps. First check.go walks the octets and holds each length
// and value against RFC 4271 §6; what is wrong becomes the NOTIFICATION that
// the sender deserves, or what RFC 7606 has in its place (revised.go). Only then
// gobgp reads the message, and of it only those
// attributes and capabilities that a bgp.Message can hold: gobgp has decoders
// for several dozen more, some of which trust the lengths that they are
// given, and none of those is ever reached. That is why there is no recover()
// here, and FuzzDecode tries to prove it wrong.
//
// What the wire does not carry, and a round trip therefore normalises: host
// bits of prefixes (RFC 4271 §4.3: "the value of trailing bits is
// irrelevant"), the difference between a nil and an empty list, and Attrs of an
// AGGREGATOR with AS 0 (RFC 7607 forbids it, bgp.Attrs uses it for "none").
package wire

import (
	"errors"
	"fmt"

	"github.com/vpnsim/vpnsim/bgp"
)

// MaxLen is the greatest length of a message. RFC 4271 §4.1.
const MaxLen = 4096

// Encode returns the octets of m.
func Encode(m *bgp.Message) ([]byte, error) {
	g, err := build(m)
	if err != nil {
		return nil, fmt.Errorf("bgp message type %d: %w", m.Type, err)
	}
	var b []byte
	if m.Update != nil && m.Update.Identified() != 0 {
		b, err = g.Serialize(identified(m.Update.Identified()))
	} else {
		b, err = g.Serialize()
	}
	if err != nil {
		return nil, fmt.Errorf("bgp message type %d: %w", m.Type, err)
	}
	if len(b) > MaxLen {
		return nil, fmt.Errorf("bgp message type %d: %w", m.Type, errTooLong)
	}
	return b, nil
}

var errTooLong = errors.New("longer than 4096 octets")

// Append appends the octets of m to dst, as a TCP stream would have them.
func Append(dst []byte, m *bgp.Message) ([]byte, error) {
	b, err := Encode(m)
	if err != nil {
		return dst, err
	}
	return append(dst, b...), nil
}

// Decode reads the one message that b holds. When anything about it is wrong
// there is no message, and the NOTIFICATION of RFC 4271 §6 says what. The message
// shares no memory with b. Receive is Decode for what comes from other people's
// routers.
func Decode(b []byte) (*bgp.Message, *bgp.Notification) { return DecodePaths(b, 0) }

// DecodePaths is Decode in a session in which add-path was agreed for some
// families: whether there are Path Identifiers cannot be told from the octets. RFC
// 7911 §3
func DecodePaths(b []byte, paths bgp.Families) (*bgp.Message, *bgp.Notification) {
	if n := checkHeader(b); n != nil {
		return nil, n
	}
	if len(b) != length(b) {
		return nil, badLength(b)
	}
	strict := checker{six: true, paths: paths}
	clean, n := strict.checkBody(b)
	if n != nil {
		return nil, n
	}
	m, n := read(clean, paths)
	if n != nil {
		return nil, n
	}
	m.Size = len(b)
	return m, nil
}

// Split cuts the first message off a stream of octets. While it has not all
// arrived msg is nil and rest is the whole stream. A header that can't be one
// is reported as soon as its 19 octets are there, and the rest is then nil:
// nothing behind it can be trusted (RFC 4271 §6.1, "Connection Not
// Synchronized").
func Split(stream []byte) (msg, rest []byte, n *bgp.Notification) {
	if len(stream) < bgp.HeaderLen {
		return nil, stream, nil
	}
	if n := checkHeader(stream); n != nil {
		return nil, nil, n
	}
	l := length(stream)
	if len(stream) < l {
		return nil, stream, nil
	}
	return stream[:l:l], stream[l:], nil
}
