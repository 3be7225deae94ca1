package natsserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// storeVariable has this test's program be a server over a store, to be killed.
const storeVariable = "SHUNT_TEST_NATS_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(storeVariable); dir != "" {
		os.Exit(serve(dir))
	}
	os.Exit(m.Run())
}

// serve runs a server, says where, and ends with its standard input, should
// whoever started it end without killing it.
func serve(dir string) int {
	server, err := natsserver.Start(natsserver.Config{Listen: "127.0.0.1:0", StoreDir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(server.ClientURL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// TestKilledServerHasWhatItAcknowledged kills a server without mercy, thrice,
// while many write, and finds every acknowledged write in the store. That shows
// what a kill can show: what the kernel had is not lost by it. TestSync shows
// that the disk has it too.
func TestKilledServerHasWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	w := &writers{appended: map[string]bool{}, counts: map[string]int{}}
	for round := range 3 {
		url, kill := child(t, dir)
		w.write(t, url, round, kill)
	}
	server := start(t, natsserver.Config{Listen: "127.0.0.1:0", StoreDir: dir})
	b := client(t, server.ClientURL())
	found := map[string]bool{}
	for m, err := range b.All(t.Context(), "SHUNT_OUTCOMES", ">") {
		if err != nil {
			t.Fatal(err)
		}
		found[string(m.Data)] = true
	}
	for body := range w.appended {
		if !found[body] {
			t.Errorf("%s was acknowledged, and is lost", body)
		}
	}
	for key, count := range w.counts {
		e, err := b.Bucket("SHUNT_JOBS").Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if is, _ := strconv.Atoi(string(e.Value)); is < count {
			t.Errorf("%s was acknowledged at %d, and is %s", key, count, e.Value)
		}
	}
	t.Logf("%d messages and %d keys were acknowledged, %d messages are there", len(w.appended), len(w.counts), len(found))
}

// child starts a server in a process of its own.
func child(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), storeVariable+"="+dir)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, which is an error
		_ = stdin.Close()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "nats://") {
		t.Fatalf("the server says %q: %v", line, err)
	}
	return strings.TrimSpace(line), kill
}

func client(t *testing.T, url string) *natsbus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := natsbus.Connect(ctx, natsbus.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) }) // its server may be gone
	if err := b.Ensure(ctx, bus.NewLayout("shunt", 1, 256<<20)); err != nil {
		t.Fatal(err)
	}
	return b
}

// writers write until they cannot, and know what was acknowledged.
type writers struct {
	mu       sync.Mutex
	appended map[string]bool
	counts   map[string]int // the value of each key
}

// write has several write at once, kills the server when each has come some
// way, and returns when all have noticed.
func (w *writers) write(t *testing.T, url string, round int, kill func()) {
	const callers, enough = 4, 25
	b := client(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var left atomic.Int32
	left.Store(callers)
	ready := make(chan struct{})
	var all sync.WaitGroup
	for caller := range callers {
		name := fmt.Sprintf("round-%d-caller-%d", round, caller)
		all.Go(func() {
			for i, revision := 1, uint64(0); w.step(ctx, b, name, i, &revision) == nil; i++ {
				if i == enough && left.Add(-1) == 0 {
					close(ready)
				}
			}
		})
	}
	select {
	case <-ready:
	case <-ctx.Done():
		t.Error("the writers do not get on")
	}
	kill()
	// One that waits for an answer learns of nothing: the client hopes to connect again.
	if err := b.Close(ctx); err != nil {
		t.Logf("Close: %v", err)
	}
	cancel()
	all.Wait()
}

// step appends a message, and sets a key to i by compare-and-set.
func (w *writers) step(ctx context.Context, b *natsbus.Bus, name string, i int, revision *uint64) error {
	body := fmt.Sprint(name, "-", i)
	if _, err := b.Append(ctx, bus.Message{Subject: "shunt.outcome.n." + name, Data: []byte(body)}); err != nil {
		return err
	}
	w.mu.Lock()
	w.appended[body] = true
	w.mu.Unlock()
	k, value := b.Bucket("SHUNT_JOBS"), []byte(strconv.Itoa(i))
	var err error
	if *revision == 0 {
		*revision, err = k.Create(ctx, name, value)
	} else {
		*revision, err = k.Update(ctx, name, value, *revision)
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.counts[name] = i
	w.mu.Unlock()
	return nil
}
