package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/peer"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

func (a *app) peerCommand() *cobra.Command {
	var (
		seed               uint64
		sets               []string
		who                peer.Flags
		last, wait, settle string
		detail             bool
	)
	cmd := &cobra.Command{
		Use:   "peer SCENARIO --as ROUTER",
		Short: "Be a router of a scenario towards a real router, in real time",
		Long: `Play a router of a scenario towards a real router, which takes the place of its
neighbour: BGP over real TCP, the story's events on the wall clock. What is
between the two is simulated: delay, loss, tunnels with their dead peer detection,
black holes. So are all other routers.

The real router is configured with the neighbours that are printed first, and with
the scenario's AS numbers. It calls --listen, and is called at --peer; one of the
two is enough. With several links (two tunnels) each is a session of its own: write
--peer tun1=192.0.2.1 --peer tun2=192.0.2.2. Without --listen, the first link
listens on 127.0.0.1:1790, the second on 127.0.0.2:1790, and so on; calls go out
from the same addresses.

The story begins when every session has come up. What only the real router could
do (kill, freeze, shut, withdraw … by it) is asked for, and not done. In a black
hole its TCP connection stays open and everything gets lost; a link that goes down
resets it, where the router's profile says bgp.fast_fallover. In the end, or after
Ctrl-C, sessions get a CEASE, and what followed each event is printed beside what
the simulation says of the same scenario without a real router.

A TCP MD5 password is read from a file (--md5 FILE) or from an environment variable
(--md5 env:NAME), and never printed.

Exit codes: 0 ok; 1 the sessions did not come up within --wait; 2 bad usage or
scenario, or an address that cannot be listened at.`,
		Example: `  vpnsim peer aws-gcp --as aws --peer tun1=192.0.2.1 --peer tun2=192.0.2.2 --listen tun1=192.0.2.11:179 --listen tun2=192.0.2.12:179
  vpnsim peer frr-pair --as r1                  neighbours 127.0.0.1 and 127.0.0.2, port 1790
  vpnsim peer my.yaml --as cloud --for 0        until Ctrl-C
  vpnsim peer my.yaml --as cloud --format json  one JSON object a line`,
		Args: exactly(1, "peer takes one scenario"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.format == "md" {
				return usagef("", "peer prints text or json, not md")
			}
			src, err := a.open(args[0])
			if err != nil {
				return err
			}
			d, err := src.load(sets)
			if err != nil {
				return err
			}
			if _, err := a.lints(d); err != nil {
				return err
			}
			opt := peer.Options{Seed: seed, For: d.For}
			for _, f := range []struct {
				flag, text string
				to         *time.Duration
			}{{"--for", last, &opt.For}, {"--wait", wait, &opt.Wait}, {"--settle", settle, &opt.Settle}} {
				if f.text == "" {
					continue
				}
				if *f.to, err = flagDuration(f.text); err != nil {
					return usagef("", "%s: %v", f.flag, err)
				}
			}
			plan, err := peer.NewPlan(d, who, secret)
			var bad *peer.Problem
			if errors.As(err, &bad) {
				return usagef(bad.Help, "%s", bad.Message)
			} else if err != nil {
				return err
			}
			if at, open := plan.Open(); open {
				a.warn(fmt.Sprintf("listens on %v: not only this machine can call it", at))
			}
			return a.peer(cmd.Context(), plan, opt, sets, detail)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&seed, "seed", defaultSeed, "everything random of the simulated part is drawn from this `number`")
	f.StringArrayVar(&sets, "set", nil, "change the scenario: `path=value`, such as routers.aws.bgp.hold=9s")
	f.StringArrayVar(&who.As, "as", nil, "the `router` that vpnsim plays towards the real one; may be given several times")
	f.StringVar(&who.Real, "real", "", "the `router` that is real; needed where --as has several neighbours")
	f.StringArrayVar(&who.Listen, "listen", nil, "where the real router calls: `[link=]address:port`")
	f.StringArrayVar(&who.Peer, "peer", nil, "where it is called, and calls from: `[link=]address[:port]`, port 179 if none is given")
	f.StringArrayVar(&who.Keys, "md5", nil, "TCP MD5 (RFC 2385), the password from a `[link=]file`, or from [link=]env:NAME")
	f.BoolVar(&who.TTL, "ttl-security", false, "TTL security (RFC 5082): send with TTL 255, take nothing that has come through a router")
	f.StringVar(&last, "for", "", "end this `time` after the beginning of the story; 0: when told to (otherwise: the scenario's for)")
	f.StringVar(&wait, "wait", "", "give up when the sessions are not up after this `time` (otherwise: never)")
	f.StringVar(&settle, "settle", "2s", "the story begins this `time` after the last session has come up")
	f.BoolVarP(&detail, "verbose", "v", false, "every KEEPALIVE, every state, messages between simulated routers, too")
	return cmd
}

// peer runs the plan and prints what happens.
func (a *app) peer(ctx context.Context, plan *peer.Plan, opt peer.Options, sets []string, detail bool) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	width := a.options(a.out)
	var broken error // standard output
	opt.Ready = func() {
		start := plan.Start(opt.Seed)
		start.Version, start.Sets = version(), sets
		if broken = show(a, start, report.PeerStartText, width); broken != nil {
			stop()
		}
	}
	opt.Emit = func(l report.PeerLine) {
		if l.Detail && !detail || broken != nil {
			return
		}
		if broken = show(a, l, report.PeerLineText, width); broken != nil {
			stop()
		}
	}
	summary, err := peer.Run(ctx, plan, opt)
	var address *peer.ListenError
	switch {
	case errors.Is(err, peer.ErrNeverUp):
		a.complain(err.Error()+" within "+topology.FormatDuration(opt.Wait), "are the router's AS numbers, addresses and passwords those that are printed first?")
		return ending(exitFailed)
	case errors.As(err, &address):
		return usagef(listenHelp(address), "%v", err)
	case err != nil:
		return err
	case broken != nil:
		return broken
	}
	return show(a, *summary, report.PeerSummaryText, width)
}

// show prints a part of the answer as --format says.
func show[T report.PeerStart | report.PeerLine | report.PeerSummary](a *app, v T, text func(io.Writer, T, report.Options) error, opt report.Options) error {
	if a.format == "json" {
		return printed(report.PeerJSON(a.out, v))
	}
	return printed(text(a.out, v, opt))
}

func listenHelp(e *peer.ListenError) string {
	switch {
	case errors.Is(e, syscall.EADDRINUSE):
		return "another program listens there: choose another port"
	case errors.Is(e, syscall.EACCES):
		return "ports below 1024 take privileges: choose another port"
	case errors.Is(e, syscall.EADDRNOTAVAIL):
		return "it is no address of this machine"
	}
	return ""
}

// flagDuration reads a duration of a flag, which may be 0.
func flagDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	d, err := topology.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%q is negative", text)
	}
	return d, err
}

// secret reads a password: from the environment, or the first line of a file.
func secret(from string) (live.Secret, error) {
	if name, ok := strings.CutPrefix(from, "env:"); ok {
		key, ok := os.LookupEnv(name)
		if !ok {
			return live.Secret{}, fmt.Errorf("there is no environment variable %s", name)
		}
		return live.NewSecret(key)
	}
	f, err := os.Open(from)
	if err != nil {
		return live.Secret{}, fmt.Errorf("%s: %s", from, reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return live.Secret{}, fmt.Errorf("%s: %s", from, reason(err))
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return live.NewSecret(strings.TrimSuffix(line, "\r"))
}

func exactly(n int, message string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("`vpnsim scenarios` lists those that ship with the program", "%s, not %d", message, len(args))
		}
		return nil
	}
}
