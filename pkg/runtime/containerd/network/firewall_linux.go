package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/coreos/go-iptables/iptables"
)

// rule is a line of the machine's packet filter.
type rule struct {
	table, chain string
	spec         []string
}

// chains are where the bridge's rules are.
var chains = []struct{ table, chain string }{{"nat", "POSTROUTING"}, {"filter", "FORWARD"}}

// rulesFor let what comes from the bridge out under the machine's address, and
// let the answers and what was sent to a published port in. The second part
// matters on machines that forward nothing unless told, as those with Docker.
// They are appended: what the machine's administrator forbids stays forbidden.
func rulesFor(bridge string, subnet netip.Prefix) []rule {
	comment := []string{"-m", "comment", "--comment", bridge}
	with := func(spec ...string) []string { return append(spec, comment...) }
	return []rule{
		{"nat", "POSTROUTING", with("-s", subnet.String(), "!", "-o", bridge, "-j", "MASQUERADE")},
		{"filter", "FORWARD", with("-i", bridge, "-j", "ACCEPT")},
		{"filter", "FORWARD", with("-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT", "-j", "ACCEPT")},
	}
}

// firewall keeps the rules of the bridge, which are there once for all of its
// containers.
type firewall struct {
	mu    sync.Mutex
	made  bool
	wrong string // why they could not be made the last time; "": nothing was
}

// lookUp finds iptables. Its error names the program.
func lookUp() (*iptables.IPTables, error) {
	if _, err := exec.LookPath("iptables"); err != nil {
		return nil, fmt.Errorf("the program iptables is not in the PATH; install the package iptables: %w", errdefs.ErrFailedPrecondition)
	}
	ipt, err := iptables.New()
	if err != nil {
		return nil, fmt.Errorf("iptables: %w: %w", errdefs.ErrFailedPrecondition, err)
	}
	return ipt, nil
}

// ensure makes the rules, once; while that fails, each call tries again. news is
// true when it did not come out as the last time.
func (f *firewall) ensure(rules []rule) (news bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made {
		return false, nil
	}
	err = appendRules(rules)
	last := f.wrong
	f.made, f.wrong = err == nil, ""
	if err != nil {
		f.wrong = err.Error()
	}
	return f.wrong != last, err
}

func appendRules(rules []rule) error {
	ipt, err := lookUp()
	if err != nil {
		return err
	}
	for _, r := range rules {
		if err := ipt.AppendUnique(r.table, r.chain, r.spec...); err != nil {
			return fmt.Errorf("iptables: %w: %w", errdefs.ErrFailedPrecondition, err)
		}
	}
	return nil
}

// remove takes the bridge's rules away, whichever of them are there and whatever
// subnet they are for; without iptables there are none.
func (f *firewall) remove(bridge string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made = false
	ipt, err := lookUp()
	if err != nil {
		return nil
	}
	var errs []error
	for _, at := range chains {
		lines, err := ipt.List(at.table, at.chain)
		errs = append(errs, err)
		for _, line := range lines {
			// "-A FORWARD -i shunt-… -m comment --comment shunt-… -j ACCEPT"
			if words := strings.Fields(line); len(words) > 2 && isOf(bridge, words) {
				errs = append(errs, ipt.DeleteIfExists(at.table, at.chain, words[2:]...))
			}
		}
	}
	return errors.Join(errs...)
}

// isOf tells whether a rule's comment is the bridge's name.
func isOf(bridge string, words []string) bool {
	i := slices.Index(words, "--comment")
	return i >= 0 && i+1 < len(words) && words[i+1] == bridge
}
