package live

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
)

// What Linux calls the options of RFC 2385 and RFC 5082; package syscall lacks
// three of them.
const (
	ipMinTTL        = 21 // IP_MINTTL
	tcpMD5Sig       = 14 // TCP_MD5SIG
	tcpMD5SigExt    = 32 // TCP_MD5SIG_EXT: with the length of a prefix
	tcpMD5SigPrefix = 1  // TCP_MD5SIG_FLAG_PREFIX
)

// control sets the options on a socket before it is bound or connected.
func (o Options) control(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		if o.TTLSecurity {
			// "The TTL field … is set to 255", and what arrives with less has come
			// through a router. RFC 5082 §3
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TTL, 255)
			if failed == nil {
				failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipMinTTL, 255)
			}
			if failed != nil {
				failed = fmt.Errorf("TTL security (RFC 5082): %w", failed)
				return
			}
		}
		for _, k := range o.Keys {
			if failed = setKey(int(fd), k); failed != nil {
				failed = fmt.Errorf("TCP MD5 (RFC 2385): %w", failed)
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// setKey hands a key to the kernel: struct tcp_md5sig, which is an address in
// 128 octets, flags, the length of the prefix, that of the key, an interface,
// and the key in 80 octets.
func setKey(fd int, k Key) error {
	b := make([]byte, 0, 216)
	b = binary.NativeEndian.AppendUint16(b, syscall.AF_INET)
	b = append(b, 0, 0) // any port
	ip := k.Peers.Masked().Addr().As4()
	b = append(b, ip[:]...)
	b = append(b, make([]byte, 128-len(b))...)
	b = append(b, tcpMD5SigPrefix, byte(k.Peers.Bits()))
	b = binary.NativeEndian.AppendUint16(b, uint16(len(k.Secret.key)))
	b = append(b, 0, 0, 0, 0)
	b = append(b, k.Secret.key...)
	b = append(b, make([]byte, cap(b)-len(b))...)
	option := tcpMD5SigExt
	if k.Peers == netip.PrefixFrom(k.Peers.Addr(), 32) { // what kernels before 4.13 know as well
		b[128], option = 0, tcpMD5Sig
	}
	return syscall.SetsockoptString(fd, syscall.IPPROTO_TCP, option, string(b))
}
