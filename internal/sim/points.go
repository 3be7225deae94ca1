package sim

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Role is what a process is.
type Role string

// The roles.
const (
	Worker Role = "worker"
	Placer Role = "placer"
)

// When is on which side of a call a process crashes.
type When string

// The sides: the call has no effect, or its caller never learns of it.
const (
	Before When = "before"
	After  When = "after"
)

// Point is where a process can crash: a call of a port, and a side of it.
type Point struct {
	Role Role
	Call string // port and method, such as Journal.Write
	When When
}

// String names the point as --aim takes it.
func (p Point) String() string { return string(p.Role) + " " + p.Call + " " + string(p.When) }

// port is an interface between a loop and the world.
type port struct {
	name string
	of   reflect.Type
}

// portsOf are the ports that a role is given.
func portsOf(r Role) []port {
	ports := []port{
		{"Bus", reflect.TypeFor[bus.Bus]()},
		{"Bucket", reflect.TypeFor[bus.Bucket]()},
		{"Delivery", reflect.TypeFor[bus.Delivery]()},
		{"Request", reflect.TypeFor[bus.Request]()},
		{"Subscription", reflect.TypeFor[bus.Subscription]()},
	}
	if r == Worker {
		ports = append(ports,
			port{"Journal", reflect.TypeFor[journal.Journal]()},
			port{"Runtime", reflect.TypeFor[runtime.Runtime]()})
	}
	return ports
}

// Points are all the points there are, by the ports' own methods: those where a
// process can crash, and with a reason each those that no loop comes to.
func Points() (all []Point, never map[Point]string) {
	never = map[Point]string{}
	for _, role := range []Role{Worker, Placer} {
		for _, p := range portsOf(role) {
			for m := range p.of.Methods() {
				call := p.name + "." + m.Name
				for _, when := range []When{Before, After} {
					at := Point{role, call, when}
					if why := neverMade(role, call); why != "" {
						never[at] = why
						continue
					}
					all = append(all, at)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Point) int { return cmp.Compare(a.String(), b.String()) })
	return all, never
}
