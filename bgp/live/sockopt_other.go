//go:build !linux

package live

import (
	"fmt"
	"syscall"
)

func (o Options) control(string, string, syscall.RawConn) error {
	switch {
	case o.TTLSecurity:
		return fmt.Errorf("TTL security (RFC 5082): %w", ErrUnsupported)
	case len(o.Keys) > 0:
		return fmt.Errorf("TCP MD5 (RFC 2385): %w", ErrUnsupported)
	}
	return nil
}
