package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// kills is how often each setting is measured.
const kills = 5

// BenchmarkReplacement kills the worker that runs a service with SIGKILL, and
// measures until another one says that it runs: real processes, the memory
// runtime, so that what is measured is noticing and moving, not pulling.
func BenchmarkReplacement(b *testing.B) {
	image := serviceImage(b)
	for name, flags := range map[string][]string{
		"default": nil,
		"ttl=1s":  {"--heartbeat", "300ms", "--ttl", "1s"},
	} {
		for _, nodes := range []int{2, 4} {
			b.Run(fmt.Sprintf("%s/nodes=%d", name, nodes), func(b *testing.B) {
				var all []time.Duration
				for b.Loop() {
					all = append(all, replacements(b, image, nodes, flags)...)
				}
				b.ReportMetric(quantile(all, 0.5).Seconds(), "p50-s")
				b.ReportMetric(quantile(all, 1).Seconds(), "max-s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// serviceImage is an image whose program runs until it is stopped.
func serviceImage(b *testing.B) string {
	b.Helper()
	registry, err := toybox.Serve("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { registry.Close() })
	image, err := toybox.Image(testenv.Toybox(b), toybox.Linux("amd64"), toybox.WithEntrypoint("serve"))
	if err != nil {
		b.Fatal(err)
	}
	ref, err := registry.Push(b.Context(), "bench/serve:1", image)
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

// replacements kills node after node under one service, and starts each again.
func replacements(b *testing.B, image string, nodes int, flags []string) []time.Duration {
	b.Helper()
	bin, dir := testenv.Bin(b), b.TempDir()
	_, ready := spawn(b, filepath.Join(bin, "placer"), "--embed-nats", "127.0.0.1:0", "--store-dir", filepath.Join(dir, "nats"))
	workers := map[string]*exec.Cmd{}
	startWorker := func(node string) {
		workers[node], _ = spawn(b, filepath.Join(bin, "worker"), append([]string{"--nats", ready["nats"], "--node", node,
			"--state-dir", filepath.Join(dir, node), "--runtime", "memory", "--platforms", "linux/amd64"}, flags...)...)
	}
	for i := range nodes {
		startWorker(fmt.Sprintf("n%d", i))
	}
	nc, err := nats.Connect(ready["nats"])
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	running := make(chan string, 16)
	if _, err := nc.Subscribe(messages.Root(messages.DefaultRoot).Outcome("*", "web"), func(m *nats.Msg) {
		var o messages.Outcome
		if json.Unmarshal(m.Data, &o) == nil && o.Status == messages.StatusRunning {
			running <- o.Node
		}
	}); err != nil {
		b.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	job := fmt.Appendf(nil, `{"v":1,"id":"web","op":"run","kind":"service","spec":{"image":%q},"policy":{"max_attempts":1000}}`, image)
	if _, err := js.Publish(b.Context(), messages.Root(messages.DefaultRoot).Job("web"), job); err != nil {
		b.Fatal(err)
	}
	node := await(b, running)
	var all []time.Duration
	for range kills {
		time.Sleep(placerSettles) // it has heard every node for a time-to-live
		began := time.Now()
		_ = workers[node].Process.Kill()
		_ = workers[node].Wait()
		next := await(b, running)
		all = append(all, time.Since(began))
		startWorker(node)
		node = next
	}
	return all
}

// placerSettles is longer than the default time-to-live: a placer judges nobody
// before it has listened for that long.
const placerSettles = 12 * time.Second

func await(b *testing.B, running <-chan string) string {
	b.Helper()
	select {
	case node := <-running:
		return node
	case <-time.After(2 * time.Minute):
		b.Fatal("the service does not run")
	}
	return ""
}

// spawn starts a program that is going to be killed.
func spawn(b *testing.B, program string, args ...string) (*exec.Cmd, map[string]string) {
	b.Helper()
	log, err := os.CreateTemp(b.TempDir(), filepath.Base(program))
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		b.Fatalf("%s is not ready: %v\n%s", program, err, text)
	}
	ready, err := readyLine(strings.TrimSpace(line))
	if err != nil {
		b.Fatal(err)
	}
	return cmd, ready
}
