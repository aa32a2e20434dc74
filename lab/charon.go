//go:build linux

package lab

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/strongswan/govici/vici"
	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/topology"
)

// charon is strongSwan's daemon, at one end of one tunnel. It keeps nothing where others
// would find it: its configuration comes from a file in the trial's folder, and what it
// is to do it is told through its vici socket, which stands there, too. So any number of
// them run at the same time, and the key of a tunnel is nowhere but in memory.
type charon struct {
	*process
	socket string
	listen *vici.Session   // for what it reports:
	events chan vici.Event // child SAs that come and go
}

// swanFolders is where packages put it.
var swanFolders = []string{"/usr/sbin", "/usr/local/sbin"}

const swanPackages = "apt-get install charon-systemd strongswan-swanctl libcharon-extra-plugins"

// startCharon starts one in a namespace and waits until it listens.
func startCharon(led *ledger, s *space, dir string, of *topology.Settings) (*charon, error) {
	path, err := find("charon-systemd", swanFolders...)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &charon{socket: filepath.Join(dir, "vici"), events: make(chan vici.Event, 64)}
	conf := filepath.Join(dir, "strongswan.conf")
	if err := os.WriteFile(conf, []byte(charonConf(dir, of)), 0o600); err != nil {
		return nil, err
	}
	os.Remove(c.socket) // of one that was killed
	out := filepath.Join(dir, "out")
	if c.process, err = led.start(s, out, "env", "STRONGSWAN_CONF="+conf, path); err != nil {
		return nil, err
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if c.listen, err = vici.NewSession(vici.WithSocketPath(c.socket)); err == nil {
			break
		}
		if c.ended() || time.Since(begin) > 10*time.Second {
			words, _ := os.ReadFile(out)
			c.end()
			return nil, fmt.Errorf("charon does not listen: %w: %s", err, lastWords(words))
		}
	}
	c.listen.NotifyEvents(c.events)
	if err := c.listen.Subscribe("child-updown"); err != nil {
		c.end()
		return nil, fmt.Errorf("charon: %w", err)
	}
	return c, nil
}

// charonConf is its strongswan.conf. kernel-libipsec wants a route through its device
// for what the tunnel is for, which is everything: it is put behind all others, so that
// the packets of the tunnel itself do not end up in it.
func charonConf(dir string, of *topology.Settings) string {
	return fmt.Sprintf(`charon-systemd {
	load = random nonce aes sha1 sha2 hmac kdf gmp kernel-libipsec kernel-netlink socket-default vici
	routing_table_prio = 40000
	retransmit_timeout = %v
	retransmit_tries = %d
	retransmit_base = 1.8
	filelog {
		log {
			path = %s/log
			time_format = %%T
			time_add_ms = yes
			flush_line = yes
		}
	}
	plugins {
		vici {
			socket = unix://%[3]s/vici
		}
		kernel-libipsec {
			allow_peer_ts = yes
		}
	}
}
`, of[topology.VPNRetransmit].Dist.Max().Seconds(), of[topology.VPNRetransmitTries].Int, dir)
}

// end kills it: it says goodbye to nobody.
func (c *charon) end() {
	if c.process != nil {
		c.stop(syscall.SIGKILL)
	}
	if c.listen != nil {
		c.listen.Close()
	}
}

// call gives an order and waits for what comes of it.
func (c *charon) call(ctx context.Context, command string, args map[string]any) error {
	return c.ask(command, args, func(s *vici.Session, m *vici.Message) error {
		_, err := s.Call(ctx, command, m)
		return err
	})
}

// ask does so by a connection of its own, since one waits for the end of what it does.
func (c *charon) ask(command string, args map[string]any, f func(*vici.Session, *vici.Message) error) error {
	m, err := message(args)
	if err == nil {
		var s *vici.Session
		if s, err = vici.NewSession(vici.WithSocketPath(c.socket)); err == nil {
			defer s.Close()
			err = f(s, m)
		}
	}
	if err != nil {
		return fmt.Errorf("charon: %s: %w", command, err)
	}
	return nil
}

// message makes one of vici's: sections of sections, lists, and words.
func message(args map[string]any) (*vici.Message, error) {
	m := vici.NewMessage()
	for k, v := range args {
		if section, ok := v.(map[string]any); ok {
			inner, err := message(section)
			if err != nil {
				return nil, err
			}
			v = inner
		}
		if err := m.Set(k, v); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// The one connection that a charon has, and its child.
const (
	ikeName   = "tunnel"
	childName = "all"
)

// load tells it of its tunnel.
func (c *charon) load(own, peer, key string, of *topology.Settings) error {
	seconds := func(d time.Duration) string {
		return strconv.Itoa(int((d+time.Second-1)/time.Second)) + "s"
	}
	// A lifetime is over margin after the moment at which it is renewed, which lies up to
	// fuzz × margin earlier still.
	life := func(k topology.Key, prefix string, into map[string]any) {
		life := of[k].Dist.Max()
		if life == 0 {
			into["rekey_time"] = "0s"
			return
		}
		margin := min(of[topology.VPNRekeyMargin].Dist.Max(), life-life/10)
		into["rekey_time"] = seconds(life - margin)
		into["rand_time"] = seconds(time.Duration(float64(margin) * float64(of[topology.VPNRekeyFuzz].Int) / 1000))
		if into[prefix] = seconds(life); prefix == "over_time" {
			into[prefix] = seconds(margin)
		}
	}
	child := map[string]any{
		"local_ts": []string{"0.0.0.0/0"}, "remote_ts": []string{"0.0.0.0/0"}, "esp_proposals": []string{"aes128-sha1"},
		"dpd_action": "clear", "close_action": "none", "start_action": "none",
	}
	life(topology.VPNChildLifetime, "life_time", child)
	conn := map[string]any{
		"local_addrs": []string{own}, "remote_addrs": []string{peer}, "proposals": []string{"aes128-sha1-modp2048"}, "mobike": "no", "keyingtries": "1",
		"version": of[topology.VPNVersion].Enum[1:],
		"local":   map[string]any{"auth": "psk", "id": own}, "remote": map[string]any{"auth": "psk", "id": peer},
	}
	life(topology.VPNIKELifetime, "over_time", conn)
	// charon has no dead peer detection without an action: it is left out then.
	if interval := of[topology.VPNDPDInterval].Dist.Max(); interval > 0 && of[topology.VPNDPDAction].Enum != "none" {
		conn["dpd_delay"] = seconds(interval)
		if of[topology.VPNVersion].Enum == "v1" {
			conn["dpd_timeout"] = seconds(max(deadAfter(of).Max(), interval+time.Second))
		}
		if of[topology.VPNDPDAction].Enum == "restart" {
			child["dpd_action"] = "start"
		}
	}
	conn["children"] = map[string]any{childName: child}
	err := c.call(context.Background(), "load-shared", map[string]any{"id": ikeName, "type": "IKE", "data": key, "owners": []string{own, peer}})
	if err == nil {
		err = c.call(context.Background(), "load-conn", map[string]any{ikeName: conn})
	}
	return err
}

// newKey is a pre-shared key: of one tunnel, of one trial, and never shown. It comes from
// the kernel, since the seed is nobody's secret.
func newKey() (string, error) {
	var b [16]byte
	_, err := unix.Getrandom(b[:], 0)
	return hex.EncodeToString(b[:]), err
}

// initiate negotiates, and waits until that has succeeded or was given up.
func (c *charon) initiate(ctx context.Context) error {
	return c.call(ctx, "initiate", map[string]any{"ike": ikeName, "child": childName, "timeout": "0", "loglevel": "-1"})
}

// terminate sends DELETE. One that is not answered soon will not be.
func (c *charon) terminate() {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	c.call(ctx, "terminate", map[string]any{"ike": ikeName, "timeout": "500", "loglevel": "-1"})
}

// idle tells whether it has no IKE SA, and none on its way.
func (c *charon) idle(ctx context.Context) (idle bool, err error) {
	idle = true
	err = c.ask("list-sas", nil, func(s *vici.Session, m *vici.Message) (failed error) {
		for _, err := range s.CallStreaming(ctx, "list-sas", "list-sa", m) {
			if idle = false; err != nil {
				failed = err
			}
		}
		return failed
	})
	return idle, err
}
