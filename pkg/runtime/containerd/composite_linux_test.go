package containerd_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/registry"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// composed is a composite as a Windows node has it: containerd is the delegate of
// a primary that runs no Linux, and which is asked first wherever the platform
// does not tell.
func (b *bench) composed(rt *containerd.Runtime) *runtime.Composite {
	b.Helper()
	windows := messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{windows}, Images: memory.StaticImages{}})
	b.must(err)
	b.Cleanup(func() { machine.Close() })
	c, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary:   runtime.Member{Runtime: memory.New(machine)},
		Delegates: []runtime.Member{{Runtime: rt}},
		Resolver:  image.NewResolver(image.WithStore(rt), image.WithEndpoints(registry.Endpoints(""))),
		Logger:    slog.New(slog.NewTextHandler(b.Output(), nil)),
	})
	b.must(err)
	return c
}

// TestPublishedThroughAComposite: what containerd tells of a container's network
// and program is what the composite does.
func TestPublishedThroughAComposite(t *testing.T) {
	testenv.Iptables(t)
	b := newBench(t)
	c := b.composed(b.rt)
	spec := b.spec("http", "8080")
	spec.Ports = []messages.Port{{Container: 8080}}
	id := b.id()
	b.must(c.Create(b.ctx, id, spec, runtime.CreateOptions{}))
	b.must(c.Start(b.ctx, id))
	b.printed(id, "listening [::]:8080")
	port, err := c.PortOverride(b.ctx, id)
	b.must(err)
	if got, err := fetch(b.ctx, fmt.Sprintf("127.0.0.1:%d", port), "/published"); got != "/published\n" {
		t.Errorf("over the port %d: %q, %v", port, got, err)
	}
	ports, err := c.PortMappings(b.ctx, id)
	if err != nil || len(ports) != 1 || ports[0].Host != port || ports[0].Container != 8080 {
		t.Errorf("the ports are %+v, %v, want 8080 at %d", ports, err, port)
	}
	if ip, err := c.IP(b.ctx, id); err != nil || ip != b.ip(id) {
		t.Errorf("the address is %v, %v, want %v", ip, err, b.ip(id))
	}
	pid, err := c.PID(b.ctx, id)
	if want, _ := b.rt.PID(b.ctx, id); err != nil || pid == 0 || pid != want {
		t.Errorf("the pid is %d, %v, want %d", pid, err, want)
	}
	b.must(c.Stop(b.ctx, id, 0))
	if code, err := c.Wait(b.ctx, id); err != nil || code != 137 {
		t.Errorf("it exited with %d, %v, want 137", code, err)
	}
}

func TestConformanceThroughAComposite(t *testing.T) {
	b := newBench(t)
	cfg := b.conformance()
	c := b.composed(b.rt)
	cfg.New = func(*testing.T) runtime.Runtime { return c }
	cfg.Restart = func(*testing.T, runtime.Runtime) runtime.Runtime { return b.composed(b.open()) }
	runtimetest.Run(t, cfg)
}
