package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Sizes of a large fleet.
const (
	manyJobs  = 100_000
	manyNodes = 10_000
	// leanMemory is what listing them may take; the program alone takes most of it.
	leanMemory = 64 << 20
)

// TestListsOfALargeFleet lists 100,000 jobs and 10,000 nodes: the first page is
// there after the first answer, and the memory it takes is that of pages.
func TestListsOfALargeFleet(t *testing.T) {
	f := &fleet{t: t, dir: t.TempDir()}
	f.placer = start(t, "placer", "placer", "--embed-nats", "127.0.0.1:0", "--store-dir", f.dir, "--sync", "1s")
	f.nats = newNatsCLI(t, f.placer.ready["nats"])
	nc, err := nats.Connect(f.nats.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fillJobs(t, nc)
	fillNodes(t, nc)
	eventually(t, "all jobs are known", func() (bool, string) {
		counts := f.nats.request("shunt.placer.info", "").at("counts.pending")
		return counts == fmt.Sprint(manyJobs), counts
	})
	for verb, want := range map[string]int{"jobs": manyJobs, "nodes": manyNodes} {
		for form, lines := range map[string]int{"table": want + 1, "json": want + 2} {
			l := f.lists(t, nc, verb, form)
			if l.lines != lines {
				t.Errorf("%s as %s has %d lines, want %d", verb, form, l.lines, lines)
			}
			if l.before > 2 { // one, and the next one that was already asked for
				t.Errorf("%s as %s: %d pages were asked for before anything was printed", verb, form, l.before)
			}
			if l.memory > leanMemory {
				t.Errorf("%s as %s takes %d MiB", verb, form, l.memory>>20)
			}
			t.Logf("%s as %s: %d pages, %d MiB", verb, form, l.pages, l.memory>>20)
		}
	}
}

// listing is what listing took.
type listing struct {
	lines, pages, before int // before: pages that were asked for before the first line
	memory               int64
}

func (f *fleet) lists(t *testing.T, nc *nats.Conn, verb, form string) listing {
	t.Helper()
	asked := make(chan *nats.Msg, 10_000)
	sub, err := nc.ChanSubscribe("shunt.placer."+verb, asked)
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	cmd := exec.Command(testenv.Bin(t)+"/shunt", "--nats", f.nats.url, "--output", form, verb)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var l listing
	for scanner := bufio.NewScanner(out); scanner.Scan(); l.lines++ {
		if l.lines == 0 {
			l.before = len(asked)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		l.memory = usage.Maxrss << 10
	}
	l.pages = len(asked)
	return l
}

// fillJobs writes the records of jobs that wait for an hour.
func fillJobs(t *testing.T, nc *nats.Conn) {
	t.Helper()
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		t.Fatal(err)
	}
	for i := range manyJobs {
		id := fmt.Sprintf("job-%06d", i)
		rec := messages.Record{
			V: 1, State: messages.StatePending, Reason: "waits before it is tried again", Named: true, Fingerprint: strings.Repeat("0", 64),
			Job:     messages.Job{V: 1, ID: id, Op: messages.OpRun, Spec: &messages.Spec{Image: "team/batch:1"}},
			Created: time.Now(), Updated: time.Now(), NotBefore: time.Now().Add(time.Hour),
		}
		data, err := json.Marshal(rec)
		if err == nil {
			_, err = js.PublishAsync("$KV.SHUNT_JOBS."+id, data, jetstream.WithStallWait(patience))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(3 * patience):
		t.Fatal("the records are not written")
	}
}

// fillNodes tells of nodes that are heard once, and for an hour.
func fillNodes(t *testing.T, nc *nats.Conn) {
	t.Helper()
	for i := range manyNodes {
		name := fmt.Sprintf("node-%05d", i)
		caps := messages.Capabilities{
			V: 1, Node: name, Incarnation: "j" + name + ".1", Seq: 1, At: time.Now(),
			Interval: messages.Duration(time.Hour), TTL: messages.Duration(time.Hour),
			Host:      messages.Host{OS: messages.Linux, Arch: "amd64", CPUs: 4, Memory: 8 << 30},
			Platforms: []messages.RuntimePlatform{{Platform: messages.Platform{OS: messages.Linux, Arch: "amd64"}, Runtime: "primary"}},
			Labels:    map[string]string{"rack": name[:8]},
		}
		data, err := json.Marshal(caps)
		if err == nil {
			err = nc.Publish("shunt.capabilities."+name, bytes.TrimSpace(data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}
