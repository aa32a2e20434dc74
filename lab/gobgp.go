//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/vpnsim/vpnsim/topology"
)

// gobgp is GoBGP: one process, which is spoken to by gRPC over a socket in the
// router's folder. It has no routes of its own in the kernel, and takes its own
// networks from its client only: installer.go does both.
type gobgp struct {
	starts    int
	installer *installer // of the process that was started last
	own       []netip.Prefix
	closed    bool // BGP's routes do not enter the kernel's table
}

// gobgpFolders is where packages put it.
var gobgpFolders = []string{"/usr/bin", "/usr/sbin", "/usr/local/bin"}

func (g *gobgp) socket(r *router) string { return filepath.Join(r.dir, "api.sock") }

func (g *gobgp) prepare(r *router) error {
	for _, n := range r.plan.Design.Routers[r.index].Networks {
		for i := range n.Len() {
			g.own = append(g.own, n.At(i))
		}
	}
	return nil
}

func (g *gobgp) programs(r *router) []program {
	path, err := find("gobgpd", gobgpFolders...)
	if err != nil {
		path = "gobgpd"
	}
	args := []string{"-f", filepath.Join(r.dir, "gobgpd.toml"), "--api-hosts", "unix://" + g.socket(r), "--pprof-disable", "-p", "-l", "info"}
	if g.starts > 0 && r.restarter() {
		args = append(args, "-r") // it says to its peers that it has just restarted
	}
	return []program{{path, "", args}}
}

func (g *gobgp) main() string { return "gobgpd" }

// started: its routes have to be looked after.
func (g *gobgp) started(r *router) error {
	if g.installer != nil {
		g.installer.stop()
	}
	g.starts++
	var err error
	g.installer, err = newInstaller(r, g.socket(r), g.own, g.closed)
	return err
}

// ended: what is to be done when the process has.
func (g *gobgp) ended(r *router) {
	if g.installer != nil {
		g.installer.gone()
		g.installer = nil
	}
	os.Remove(g.socket(r))
}

// quit: asked to end, it says goodbye to everybody, graceful restart or not; a
// restarter is killed, which closes its connections without a word.
func (g *gobgp) quit(r *router) error {
	if r.restarter() {
		r.signal(syscall.SIGKILL)
	} else {
		r.signal(syscall.SIGTERM)
	}
	return nil
}

// ask lets f speak to the process.
func (g *gobgp) ask(r *router, f func(context.Context, api.GobgpApiClient) error) error {
	if g.installer == nil {
		return fmt.Errorf("%s: gobgpd does not run", r.name)
	}
	client, err := g.installer.client()
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	if err := f(ctx, client); err != nil {
		return fmt.Errorf("%s: gobgpd: %w", r.name, err)
	}
	return nil
}

func (g *gobgp) up(r *router) (n int, err error) {
	err = g.ask(r, func(ctx context.Context, c api.GobgpApiClient) error {
		list, err := c.ListPeer(ctx, &api.ListPeerRequest{})
		for err == nil {
			var p *api.ListPeerResponse
			if p, err = list.Recv(); err == nil && p.GetPeer().GetState().GetSessionState() == api.PeerState_ESTABLISHED {
				n++
			}
		}
		return endOfStream(err)
	})
	return n, err
}

// watched: GoBGP has no BFD.
func (*gobgp) watched(*router) (int, error) { return 0, nil }

func (g *gobgp) session(r *router, neighbour string, start bool) error {
	return g.ask(r, func(ctx context.Context, c api.GobgpApiClient) (err error) {
		if start {
			_, err = c.EnablePeer(ctx, &api.EnablePeerRequest{Address: neighbour})
		} else {
			_, err = c.DisablePeer(ctx, &api.DisablePeerRequest{Address: neighbour})
		}
		return err
	})
}

func (g *gobgp) refresh(r *router, neighbour string) error {
	return g.ask(r, func(ctx context.Context, c api.GobgpApiClient) error {
		_, err := c.ResetPeer(ctx, &api.ResetPeerRequest{Address: neighbour, Soft: true, Direction: api.ResetPeerRequest_IN})
		return err
	})
}

func (g *gobgp) originate(r *router, p netip.Prefix, announce bool) error {
	g.own = less(g.own, p)
	if announce {
		g.own = append(g.own, p)
	}
	return g.ask(r, func(ctx context.Context, c api.GobgpApiClient) error { return originate(ctx, c, p, announce) })
}

func originate(ctx context.Context, c api.GobgpApiClient, p netip.Prefix, announce bool) error {
	path, err := ownPath(p)
	if err != nil {
		return err
	}
	if announce {
		_, err = c.AddPath(ctx, &api.AddPathRequest{TableType: api.TableType_GLOBAL, Path: path})
	} else {
		_, err = c.DeletePath(ctx, &api.DeletePathRequest{TableType: api.TableType_GLOBAL, Family: path.Family, Path: path})
	}
	return err
}

// ownPath is a network of the router's own.
func ownPath(p netip.Prefix) (*api.Path, error) {
	path := &api.Path{Family: &api.Family{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST}}
	hop := "0.0.0.0"
	if topology.FamilyOf(p.Addr()) == topology.IPv6 {
		path.Family.Afi, hop = api.Family_AFI_IP6, "::"
	}
	var err error
	if path.Nlri, err = anypb.New(&api.IPAddressPrefix{Prefix: p.Addr().String(), PrefixLen: uint32(p.Bits())}); err != nil {
		return nil, err
	}
	for _, m := range []proto.Message{&api.OriginAttribute{Origin: 0}, &api.NextHopAttribute{NextHop: hop}} {
		a, err := anypb.New(m)
		if err != nil {
			return nil, err
		}
		path.Pattrs = append(path.Pattrs, a)
	}
	return path, nil
}

func (g *gobgp) propagate(r *router, on bool) error {
	g.closed = !on
	if g.installer == nil {
		return nil
	}
	return g.installer.open(on)
}
