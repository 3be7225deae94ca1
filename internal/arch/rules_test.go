package arch

// A rule speaks of the packages that match from, but for those that match
// except. Paths are relative to the module; those of other modules are whole.
// "a/..." is a and everything below it, "a/*" is everything below it only.
// "std" is the whole standard library.
type rule struct {
	from   []string
	except []string

	only      []string // if not empty: nothing else may be imported
	never     []string // not directly; and, unless it is of the standard library, not through others either
	strangers string   // packages directly below this path must not import each other

	why string
}

// Those that only a main may name: everybody else is given them as a port.
var adapters = []string{
	"pkg/runtime/containerd/...", "pkg/runtime/memory/...", "pkg/runtime/remote/...",
	"internal/bus/natsbus/...", "internal/bus/natsserver/...", "internal/bus/membus/...",
}

var (
	nats       = []string{"github.com/nats-io/nats.go/...", "github.com/nats-io/nats-server/..."} // not nkeys: keys are no bus
	containerd = []string{"github.com/containerd/containerd/...", "github.com/containerd/containerd/v2/...", "github.com/containerd/containerd/api/..."}
	outside    = []string{"net", "net/http", "os", "os/exec", "os/signal", "syscall"} // of the process
)

var rules = []rule{
	{
		from: []string{"pkg/messages"}, only: []string{"std"}, never: outside,
		why: "the vocabulary is a leaf, without I/O, so that anybody can import it",
	},
	{
		from: []string{"pkg/peer/..."}, only: []string{"std", "pkg/messages", "pkg/peer/..."}, never: outside,
		why: "who is alive is decided without I/O",
	},
	{
		from: []string{"pkg/placement/..."}, only: []string{"std", "pkg/messages", "pkg/peer/...", "pkg/placement/..."}, never: outside,
		why: "the decision is pure, so that tables and random walks can test all of it",
	},
	{
		from: []string{"internal/worker/supervise"}, only: []string{"std", "pkg/messages"}, never: outside,
		why: "what becomes of a container is decided without I/O",
	},
	{
		from: []string{"pkg/runtime"},
		only: []string{"std", "pkg/messages", "github.com/containerd/errdefs/...", "golang.org/x/sync/..."},
		why:  "the port knows none of its adapters",
	},
	{
		from: []string{"pkg/runtime/*"}, strangers: "pkg/runtime",
		why: "adapters meet only behind the port",
	},
	{
		from: []string{"pkg/runtime/remote/..."}, never: join(containerd, nats),
		why: "a pipe leads to any runtime, and knows none",
	},
	{
		from: []string{"internal/bus"}, only: []string{"std", "pkg/messages"},
		why: "the port knows none of its adapters",
	},
	{
		from: []string{"internal/bus/*"}, strangers: "internal/bus",
		why: "adapters meet only behind the port",
	},
	{
		from: []string{"internal/worker/..."}, never: join([]string{"internal/placer/..."}, adapters, nats, containerd),
		why: "the worker knows ports; cmd gives it the adapters",
	},
	{
		from: []string{"internal/worker"}, never: []string{"go.etcd.io/bbolt/..."},
		why: "the journal is a port; cmd gives the worker one",
	},
	{
		from: []string{"internal/placer/..."}, never: join([]string{"internal/worker/..."}, adapters, nats, containerd),
		why: "the placer knows ports; cmd gives it the adapters",
	},
	{
		// A simulation is a main as well: it builds a fleet from the in-memory adapters.
		from: []string{"..."}, except: join([]string{"cmd/...", "internal/sim/..."}, adapters), never: adapters,
		why: "only a main names concrete adapters",
	},
	{
		from: []string{"..."}, except: []string{"cmd/..."}, never: []string{"cmd/..."},
		why: "mains are the end of every arrow",
	},
	{
		from: []string{"pkg/..."}, never: []string{"internal/..."},
		why: "what is public must not rest on what is not",
	},
	{
		from: []string{"..."}, except: []string{"internal/testenv", "internal/registrytest", "internal/bus/bustest/...", "pkg/messages/messagestest/...", "pkg/runtime/runtimetest/...", "internal/sim", "cmd/shunt"},
		never: []string{"testing"},
		why:   "what ships does not bring the test framework with it; only the simulation and its verb need its virtual time",
	},
}

// clockless packages are given the time as an argument.
var clockless = []string{"pkg/messages", "pkg/peer/...", "pkg/placement/...", "internal/worker/supervise"}

// readsClock are the functions of package time that do.
var readsClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// mostLines is how long a file may be that no generator wrote.
const mostLines = 500

func join(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
