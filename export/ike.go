package export

// IKE messages as octets. What a vpn.Message says stands in the ISAKMP header;
// of the payloads, those that go in the clear are well-formed examples of what
// a gateway would send, and those that are encrypted are opaque. The length is
// the one that the message claims, unless it is too short for what must be in
// it.

import (
	"encoding/binary"

	"github.com/vpnsim/vpnsim/packet"
	"github.com/vpnsim/vpnsim/vpn"
)

// ikeHeaderLen is the length of the ISAKMP header. RFC 2408 §3.1, RFC 7296 §3.1.
const ikeHeaderLen = 28

// Exchange types. RFC 2408 §3.1, RFC 2409 appendix A, RFC 7296 §3.1.
const (
	exMainMode       = 2
	exInformational  = 5
	exQuickMode      = 32
	exSAInit         = 34
	exAuth           = 35
	exCreateChild    = 36
	exInformational2 = 37
)

// Payload types: RFC 2408 §3.1 for IKEv1, RFC 7296 §3.2 for IKEv2.
const (
	p1SA, p1KE, p1ID, p1Hash, p1Nonce, p1Vendor                 = 1, 4, 5, 8, 10, 13
	p2SA, p2KE, p2IDi, p2IDr, p2Nonce, p2Delete, p2Vendor, p2SK = 33, 34, 35, 36, 40, 42, 43, 46
)

// Flags of the header.
const (
	flagEncrypted = 0x01 // IKEv1
	flagInitiator = 0x08 // IKEv2: sent by who began the IKE SA
	flagResponse  = 0x20 // IKEv2
)

// The proposal that the examples negotiate: AES-128-CBC, HMAC-SHA1, a
// pre-shared key and the 2048 bit group, for 28,800 s. assumed: it is what the
// configurations that clouds hand out begin with.
var (
	proposal1 = []byte{
		0, 0, 0, 1, 0, 0, 0, 1, // DOI IPsec, situation: identity only
		0, 0, 0, 44, 1, 1, 0, 1, // the last proposal: number 1, ISAKMP, no SPI, one transform
		0, 0, 0, 36, 1, 1, 0, 0, // the last transform: number 1, KEY_IKE
		0x80, 1, 0, 7, 0x80, 14, 0, 128, 0x80, 2, 0, 2, 0x80, 3, 0, 1, 0x80, 4, 0, 14, // AES-CBC, 128, SHA, PSK, group 14
		0x80, 11, 0, 1, 0x80, 12, 0x70, 0x80, // seconds, 28,800
	}
	proposal2 = []byte{
		0, 0, 0, 44, 1, 1, 0, 4, // the last proposal: number 1, IKE, no SPI, four transforms
		3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 0, 128, // ENCR_AES_CBC, 128
		3, 0, 0, 8, 2, 0, 0, 2, // PRF_HMAC_SHA1
		3, 0, 0, 8, 3, 0, 0, 2, // AUTH_HMAC_SHA1_96
		0, 0, 0, 8, 4, 0, 0, 14, // 2048-bit MODP
	}
)

const (
	keLen    = 256 // of a 2048 bit group
	nonceLen = 32
)

// ike is the UDP payload of m. initiated says that the sender is the one who
// began the IKE SA.
func ike(m *vpn.Message, initiated bool) []byte {
	b := make([]byte, ikeHeaderLen, max(m.Size, 512))
	binary.BigEndian.PutUint64(b, m.SPI)
	if m.Num > 1 || m.Exchange != vpn.MainMode && m.Exchange != vpn.SAInit {
		// Nobody knows the responder's SPI before its first message.
		binary.BigEndian.PutUint64(b[8:], responderSPI(m.SPI))
	}
	id := m.ID
	v2 := m.Version == uint8(vpn.IKEv2)
	b[17] = 0x10
	if v2 {
		b[17] = 0x20
		if initiated {
			b[19] |= flagInitiator
		}
		if m.Num == 2 {
			b[19] |= flagResponse
		}
	}
	seed := m.SPI ^ uint64(m.ID)<<8 ^ uint64(m.Exchange)<<4 ^ uint64(m.Num)
	switch m.Exchange {
	case vpn.MainMode:
		b[18], id = exMainMode, 0 // RFC 2409 §5: phase 1 has no message id
		switch {
		case m.Num <= 2:
			b[16] = p1SA
			b = last(b, proposal1, m.Size, p1Vendor, seed)
		case m.Num <= 4:
			b[16] = p1KE
			b = payload(b, p1Nonce, opaque(keLen, seed))
			b = last(b, opaque(nonceLen, seed+1), m.Size, p1Vendor, seed+2)
		default:
			b = encrypted(b, p1ID, m.Size, seed)
		}
	case vpn.QuickMode:
		b[18] = exQuickMode
		b = encrypted(b, p1Hash, m.Size, seed)
	case vpn.SAInit:
		b[18], id = exSAInit, 0
		b[16] = p2SA
		b = payload(b, p2KE, proposal2)
		b = payload(b, p2Nonce, append([]byte{0, 14, 0, 0}, opaque(keLen, seed)...))
		b = last(b, opaque(nonceLen, seed+1), m.Size, p2Vendor, seed+2)
	case vpn.Auth:
		b[18], id = exAuth, 1 // RFC 7296 §2.2: the exchange after message id 0
		inner := byte(p2IDi)
		if m.Num == 2 {
			inner = p2IDr
		}
		b = sealed(b, inner, m.Size, seed)
	case vpn.CreateChild:
		b[18] = exCreateChild
		b = sealed(b, p2SA, m.Size, seed)
	default: // vpn.Delete, vpn.RUThere
		if !v2 {
			b[18] = exInformational
			b = encrypted(b, p1Hash, m.Size, seed)
			break
		}
		b[18] = exInformational2
		inner := byte(0) // RFC 7296 §2.4: an empty one asks whether the peer lives
		if m.Exchange == vpn.Delete {
			inner = p2Delete
		}
		b = sealed(b, inner, m.Size, seed)
	}
	binary.BigEndian.PutUint32(b[20:], id)
	binary.BigEndian.PutUint32(b[24:], uint32(len(b)))
	return b
}

// responderSPI makes the responder's SPI out of the initiator's, which is all
// that a vpn.Message carries.
func responderSPI(spi uint64) uint64 {
	return binary.BigEndian.Uint64(opaque(8, spi)) | 1 // never zero
}

func opaque(n int, seed uint64) []byte {
	b := make([]byte, n)
	packet.Opaque(b, seed)
	return b
}

// payload appends a payload with its generic header. next is the type of the
// payload after it; 0: none.
func payload(b []byte, next byte, body []byte) []byte {
	n := 4 + len(body)
	b = append(b, next, 0, byte(n>>8), byte(n))
	return append(b, body...)
}

// last appends the last payload of a chain. When the message is to be longer
// than that, a vendor id follows, which may be of any length and content; one
// of a few octets would be a strange sight, so those are left out.
func last(b, body []byte, size int, vendor byte, seed uint64) []byte {
	room := size - len(b) - 4 - len(body) - 4
	if room < 16 {
		return payload(b, 0, body)
	}
	return payload(payload(b, vendor, body), 0, opaque(room, seed))
}

// encrypted is an IKEv1 body: the whole of it is ciphertext in blocks of 16.
func encrypted(b []byte, first byte, size int, seed uint64) []byte {
	b[16] = first
	b[19] |= flagEncrypted
	n := max(16, (size-len(b))/16*16)
	return append(b, opaque(n, seed)...)
}

// sealed is the Encrypted payload that is the whole body of an IKEv2 message:
// IV, blocks of 16, check value of 12. RFC 7296 §3.14.
func sealed(b []byte, inner byte, size int, seed uint64) []byte {
	const around = 4 + 16 + 12
	b[16] = p2SK
	n := max(16, (size-len(b)-around)/16*16)
	return payload(b, inner, opaque(16+n+12, seed))
}
