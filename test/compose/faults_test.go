package compose_test

import (
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// note adds an event of this moment to the history.
func (f *fleet) note(kind checker.Kind, host, why string) {
	f.history.Add(checker.Event{At: time.Now(), Kind: kind, Node: host, Note: why})
}

// away notes that hosts will be gone, before they are.
func (f *fleet) away(why string, hosts ...string) {
	f.t.Logf("%s: %v", why, hosts)
	for _, host := range hosts {
		switch {
		case slices.Contains(servers, host):
			f.note(checker.BusAway, "", host+": "+why)
		case slices.Contains(placers, host):
			f.note(checker.PlacerAway, host, why)
		default:
			f.note(checker.NodeAway, host, why)
		}
	}
}

// back waits until hosts serve again, and notes it. The bus is back when it
// carries everybody's heartbeats and a write to every stream.
func (f *fleet) back(hosts ...string) {
	f.t.Helper()
	for _, host := range hosts {
		mended := time.Now()
		switch {
		case slices.Contains(servers, host):
			f.awaitBus(mended)
			f.note(checker.BusBack, "", host)
		case slices.Contains(placers, host):
			f.awaitPlacer(host, mended)
			f.note(checker.PlacerBack, host, "")
		default:
			f.awaitBeat(host, mended)
			f.note(checker.NodeBack, host, "")
		}
	}
}

func (f *fleet) awaitBeat(node string, since time.Time) {
	f.t.Helper()
	eventually(f.t, node+" is heard again", func() (bool, string) { return f.beats.since(node, since), "" })
}

// awaitPlacer waits for a placer's own heartbeat.
func (f *fleet) awaitPlacer(id string, since time.Time) {
	f.t.Helper()
	eventually(f.t, id+" is heard again", func() (bool, string) { return f.beats.since(id, since), "" })
}

func (f *fleet) awaitBus(since time.Time) {
	f.t.Helper()
	for _, node := range slices.Concat(linux, windows) {
		f.awaitBeat(node, since)
	}
	eventually(f.t, "every stream has a leader and its followers", func() (bool, string) {
		for info := range f.js.ListStreams(f.within(10 * time.Second)).Info() {
			switch {
			case info.Cluster == nil || info.Cluster.Leader == "":
				return false, info.Config.Name + " has no leader"
			case len(info.Cluster.Replicas) != len(servers)-1:
				return false, info.Config.Name + " has not enough replicas"
			}
		}
		return true, ""
	})
}

// powerOff kills a machine with everything on it.
func (f *fleet) powerOff(hosts ...string) (powerOn func()) {
	f.t.Helper()
	f.away("powered off", hosts...)
	off := time.Now()
	for _, host := range hosts {
		f.docker.run("kill", f.hosts[host])
	}
	return func() {
		f.t.Helper()
		for _, host := range hosts {
			on := time.Now()
			f.docker.run("start", f.hosts[host])
			f.mu.Lock()
			f.boots[host] = append(f.boots[host], boot{off: off, on: on})
			f.mu.Unlock()
		}
		f.back(hosts...)
	}
}

// cutOff takes hosts from the network.
func (f *fleet) cutOff(hosts ...string) (connect func()) {
	f.t.Helper()
	f.away("cut off", hosts...)
	for _, host := range hosts {
		f.docker.run("network", "disconnect", f.network, f.hosts[host])
	}
	return func() {
		f.t.Helper()
		for _, host := range hosts {
			f.docker.run("network", "connect", "--alias", host, f.network, f.hosts[host])
		}
		f.back(hosts...)
	}
}

// pause stops all processes of a machine, its containers' as well.
func (f *fleet) pause(host string) (resume func()) {
	f.t.Helper()
	f.away("paused", host)
	// The freezer of cgroup v1 gives up on a machine that is starting processes
	// at that moment; runc thaws it then, and it can be tried again.
	eventually(f.t, host+" is paused", func() (bool, string) {
		_, err := f.docker.try("pause", f.hosts[host])
		if err == nil || strings.Contains(err.Error(), "already paused") {
			return true, ""
		}
		return false, err.Error()
	})
	return func() {
		f.t.Helper()
		f.docker.run("unpause", f.hosts[host])
		f.back(host)
	}
}

// killProgram kills the worker or placer of a machine, which starts it again.
func (f *fleet) killProgram(host string) {
	f.t.Helper()
	f.away("its program is killed", host)
	f.docker.run("kill", "--signal", "USR1", f.hosts[host])
	f.back(host)
}

// untilEnded waits until so many more jobs have ended.
func (f *fleet) untilEnded(more int) {
	f.t.Helper()
	goal := f.beats.words() + more
	eventually(f.t, "jobs still end", func() (bool, string) { return f.beats.words() >= goal, "" })
}

// untilLost waits until the placers have given nodes up.
func (f *fleet) untilLost(nodes ...string) {
	f.t.Helper()
	f.awaitState(messages.NodeLost, nodes...)
}
