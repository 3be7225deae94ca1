package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// TestExternalNATS runs two placers on a NATS server that is none of theirs,
// takes that server away for a while, and one placer for good.
func TestExternalNATS(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	server := startServer(t, "127.0.0.1:0", store)
	f := &fleet{t: t, dir: t.TempDir(), nats: newNatsCLI(t, server.ClientURL())}
	f.serveImages()
	placer := f.joinPlacer("placer-1")
	processes := []*process{placer, f.joinPlacer("placer-2"), f.pretender(linuxNode, "linux/amd64"), f.windows()}

	out, _ := f.nats.run("micro", "ping", "shunt-placer")
	if n := strings.Count(out, "shunt-placer "); n != 2 {
		t.Errorf("nats micro ping shows %d placers, want 2:\n%s", n, out)
	}
	image := f.linuxImage("echo", "hello")
	f.reroutes("before", image)

	if err := server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		awaitHealth(t, p, http.StatusServiceUnavailable)
	}
	startServer(t, f.address(), store)
	for _, p := range processes {
		awaitHealth(t, p, http.StatusOK)
	}
	f.awaitNode(linuxNode, "alive")
	f.awaitNode(windowsNode, "alive")
	f.reroutes("after", image)

	placer.kill()
	f.reroutes("with one placer", image)
}

// joinPlacer starts a placer on the fleet's NATS server.
func (f *fleet) joinPlacer(id string) *process {
	f.t.Helper()
	return start(f.t, id, "placer", "--nats", f.nats.url, "--id", id, "--request-timeout", "2s")
}

// reroutes checks that a job which the Windows node refuses runs on its peer.
func (f *fleet) reroutes(when, image string) {
	f.t.Helper()
	job := strings.ReplaceAll(when, " ", "-")
	f.nats.publish("shunt.job."+job, fmt.Sprintf(`{"v":1,"id":%q,"op":"run","spec":{"image":%q},"target":"win-1"}`, job, image))
	expect(f.t, "the last word "+when, f.nats.done(job), map[string]string{
		"state": "completed", "node": linuxNode, "attempt": "2", "starts": "1",
		"job.refused.0.node": windowsNode, "outcome.result.exit_code": "0",
	})
}

// startServer is a NATS server, in this process for the want of another.
func startServer(t *testing.T, address, store string) *natsserver.Server {
	t.Helper()
	server, err := natsserver.Start(natsserver.Config{Listen: address, StoreDir: filepath.Join(store, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server
}

// awaitHealth waits until a process says that of its connection.
func awaitHealth(t *testing.T, p *process, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("/healthz of %s says %d", p.name, want), func() (bool, string) {
		answer, err := http.Get("http://" + p.ready["http"] + "/healthz")
		if err != nil {
			return false, err.Error()
		}
		defer answer.Body.Close()
		return answer.StatusCode == want, answer.Status
	})
}
