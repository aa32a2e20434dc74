package vpn

// sizeOf gives the octets of the UDP payload of an IKE message, for captures
// only: nothing waits longer because a message is long. assumed: what a
// pre-shared key, AES-128, SHA-1 and a 2048 bit group make of it, rounded.
func sizeOf(m *Message) int {
	switch m.Exchange {
	case MainMode:
		return [...]int{0, 180, 160, 372, 372, 108, 76}[m.Num]
	case QuickMode:
		return [...]int{0, 444, 444, 60}[m.Num]
	case SAInit:
		return [...]int{0, 464, 472}[m.Num]
	case Auth:
		return [...]int{0, 268, 220}[m.Num]
	case CreateChild:
		if m.Refused {
			return 76
		}
		return 460
	case RUThere:
		if m.Version == 1 {
			return 92
		}
	}
	return 76 // DELETE, and IKEv2's empty INFORMATIONAL
}
