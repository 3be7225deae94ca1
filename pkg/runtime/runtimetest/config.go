package runtimetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Config tells the suite about the Runtime under test.
type Config struct {
	// New gives the Runtime for one case: a fresh one, or one that all cases
	// share. It registers its own clean-up with t. Containers that are not the
	// case's own are left alone, but the cases of PruneContainers and
	// PruneImages take away what is not in use.
	New func(t *testing.T) runtime.Runtime
	// Image is the reference of an image that Pull finds for Platform. It has
	// the programs true, false, sleep, echo, exit and sh -c on its path.
	Image func(t *testing.T) string
	// MissingImage is a reference that Pull looks for in vain.
	MissingImage string
	// Platform is asked for in Pull and Create; the zero one leaves it to the
	// runtime.
	Platform messages.Platform
	// Lacks names the operations (methods of runtime.Runtime) that this
	// runtime cannot do. They have to answer NotImplemented.
	Lacks []string
	// Programs names the programs that Image has beyond those: of cat, env, flood,
	// id, pwd and stty. The cases of one that it lacks are left out, and said so.
	Programs []string
	// OutOfMemory is what Image has to run for its machine to end it for lack of
	// memory; the reason of its end has to say so. Nil for a runtime that cannot
	// tell, which leaves the case out.
	OutOfMemory *messages.Spec
	// Restart gives a new Runtime over the state of rt, as a restarted worker
	// would make it; rt is not used any more, unless New shares it. Nil leaves
	// the cases of a restart out, and says so.
	Restart func(t *testing.T, rt runtime.Runtime) runtime.Runtime
	// Whole says that nothing is to be left out but what Lacks names: a case that
	// needs more than Config gives fails.
	Whole bool
}

// A testCase is one behaviour.
type testCase struct {
	name string
	// covers are the operations that the case asserts something of; when one
	// of them is lacking, the case is left out.
	covers   []string
	programs []string // that it needs beyond those of every image
	alone    bool     // not beside other cases: it changes what they could see
	run      func(s *scene)
}

// Run runs the suite, one subtest for each behaviour.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	if err := cfg.validate(); err != nil {
		t.Fatal(err)
	}
	checkLeaks(t)
	cases := suite(cfg)
	t.Run("every_operation_is_covered", func(t *testing.T) { checkCovered(t, cases, cfg.Lacks) })
	for _, op := range cfg.Lacks {
		t.Run("lacks_"+op, func(t *testing.T) { newScene(t, cfg).lacking(op) })
	}
	for _, c := range cases {
		if why, lacks := cfg.leavesOut(c); why != "" {
			if cfg.Whole && !lacks {
				t.Errorf("nothing is to be left out, and %s would be, for %s", c.name, why)
			}
			t.Logf("left out: %s, for %s", c.name, why)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if !c.alone {
				t.Parallel()
			}
			c.run(newScene(t, cfg))
		})
	}
}

// leavesOut is why a case cannot be run, "" if it can; lacks says that it is for
// an operation that Lacks names.
func (cfg Config) leavesOut(c testCase) (why string, lacks bool) {
	lacking := intersect(c.covers, cfg.Lacks)
	missing := slices.DeleteFunc(slices.Clone(c.programs), func(p string) bool { return slices.Contains(cfg.Programs, p) })
	switch {
	case len(lacking) > 0:
		return "this runtime lacks " + strings.Join(lacking, ", "), true
	case len(missing) > 0:
		return "the image lacks " + strings.Join(missing, ", "), false
	case c.name == outOfMemoryCase && cfg.OutOfMemory == nil:
		return "the test gives no OutOfMemory", false
	case c.name == restartCase && cfg.Restart == nil:
		return "the test gives no Restart", false
	}
	return "", false
}

func (cfg Config) validate() error {
	switch {
	case cfg.New == nil:
		return fmt.Errorf("runtimetest: Config.New is nil; want a function that gives the Runtime under test")
	case cfg.Image == nil:
		return fmt.Errorf("runtimetest: Config.Image is nil; want a function that names a pullable image")
	case cfg.MissingImage == "":
		return fmt.Errorf("runtimetest: Config.MissingImage is empty; want a reference that no registry has")
	}
	for _, op := range cfg.Lacks {
		if !slices.Contains(Operations(), op) {
			return fmt.Errorf("runtimetest: Config.Lacks names %q, which is not an operation of runtime.Runtime", op)
		}
	}
	return nil
}

// Operations are the names of the port's operations, sorted.
func Operations() []string {
	port := reflect.TypeFor[runtime.Runtime]()
	names := make([]string, 0, port.NumMethod())
	for method := range port.Methods() {
		names = append(names, method.Name)
	}
	return names
}

func suite(cfg Config) []testCase {
	return slices.Concat(
		lifecycleCases(), stopCases(), signalCases(), waitCases(), logCases(), execCases(), execProgramCases(), execEndCases(), sessionCases(), probeCases(),
		inspectCases(), imageCases(), refusalCases(), contextCases(), raceCases(), restartCases(), pruneCases(),
		matrixCases(cfg), concurrentCases(cfg), mistakeCases(),
	)
}

func checkCovered(t *testing.T, cases []testCase, lacks []string) {
	known := slices.Clone(lacks)
	for _, c := range cases {
		known = append(known, c.covers...)
	}
	for _, op := range Operations() {
		if !slices.Contains(known, op) {
			t.Errorf("operation %s is in no case and not in Lacks; write a case for it", op)
		}
		for _, missing := range missingRows(op) {
			t.Errorf("operation %s lacks %s", op, missing)
		}
	}
}

func intersect(a, b []string) []string {
	var both []string
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}
