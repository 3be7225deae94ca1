package runtimetest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A call calls one operation with arguments that are all right in themselves,
// so that what it answers depends on the container or the context alone.
type call struct {
	op      string
	takesID bool
	do      func(ctx context.Context, rt runtime.Runtime, on subject) error
}

// subject is what a call is about.
type subject struct {
	id       runtime.ContainerID
	image    string
	platform messages.Platform
}

// calls is one call of each operation of the port.
func calls() []call {
	var all []call
	node := func(op string, do func(context.Context, runtime.Runtime, subject) error) {
		all = append(all, call{op, false, do})
	}
	node("Platforms", func(ctx context.Context, rt runtime.Runtime, _ subject) error {
		_, err := rt.Platforms(ctx)
		return err
	})
	node("Describe", func(ctx context.Context, rt runtime.Runtime, _ subject) error {
		_, err := rt.Describe(ctx)
		return err
	})
	node("List", func(ctx context.Context, rt runtime.Runtime, _ subject) error {
		_, err := rt.List(ctx)
		return err
	})
	node("PruneContainers", func(ctx context.Context, rt runtime.Runtime, _ subject) error {
		_, err := rt.PruneContainers(ctx)
		return err
	})
	node("Create", func(ctx context.Context, rt runtime.Runtime, on subject) error {
		spec := &messages.Spec{Image: on.image, Entrypoint: []string{"sleep"}, Args: []string{"3600"}}
		return rt.Create(ctx, on.id, spec, runtime.CreateOptions{Platform: on.platform})
	})
	all = append(all, imageCalls()...)
	for op, do := range lifecycleCalls() {
		all = append(all, call{op, true, onID(do)})
	}
	for op, do := range inspectorCalls() {
		all = append(all, call{op, true, onID(do)})
	}
	for op, do := range runnerCalls() {
		all = append(all, call{op, true, onID(do)})
	}
	slices.SortFunc(all, func(a, b call) int { return strings.Compare(a.op, b.op) })
	return all
}

type idCall = func(context.Context, runtime.Runtime, runtime.ContainerID) error

func onID(do idCall) func(context.Context, runtime.Runtime, subject) error {
	return func(ctx context.Context, rt runtime.Runtime, on subject) error { return do(ctx, rt, on.id) }
}

// asking makes a call of an operation that takes nothing but the id.
func asking[T any](method func(runtime.Runtime, context.Context, runtime.ContainerID) (T, error)) idCall {
	return func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
		_, err := method(rt, ctx, id)
		return err
	}
}

func telling(method func(runtime.Runtime, context.Context, runtime.ContainerID) error) idCall {
	return func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
		return method(rt, ctx, id)
	}
}

func imageCalls() []call {
	type do = func(context.Context, runtime.Runtime, subject) error
	var all []call
	for op, do := range map[string]do{
		"Pull": func(ctx context.Context, rt runtime.Runtime, on subject) error {
			_, err := rt.Pull(ctx, on.image, runtime.PullOptions{Platform: on.platform})
			return err
		},
		"ListImages": func(ctx context.Context, rt runtime.Runtime, _ subject) error {
			_, err := rt.ListImages(ctx)
			return err
		},
		"RemoveImage": func(ctx context.Context, rt runtime.Runtime, on subject) error {
			return rt.RemoveImage(ctx, on.image, false)
		},
		"PruneImages": func(ctx context.Context, rt runtime.Runtime, _ subject) error {
			_, err := rt.PruneImages(ctx)
			return err
		},
		"TagImage": func(ctx context.Context, rt runtime.Runtime, on subject) error {
			return rt.TagImage(ctx, on.image, "shunt.test/never-made:1")
		},
		"ImageHistory": func(ctx context.Context, rt runtime.Runtime, on subject) error {
			_, err := rt.ImageHistory(ctx, on.image)
			return err
		},
		"SearchImages": func(ctx context.Context, rt runtime.Runtime, _ subject) error {
			_, err := rt.SearchImages(ctx, "toybox", 1)
			return err
		},
		"SaveImages": func(ctx context.Context, rt runtime.Runtime, on subject) error {
			return rt.SaveImages(ctx, []string{on.image}, io.Discard)
		},
		"LoadImages": func(ctx context.Context, rt runtime.Runtime, _ subject) error {
			_, err := rt.LoadImages(ctx, bytes.NewReader(emptyTar))
			return err
		},
		"ImportImage": func(ctx context.Context, rt runtime.Runtime, _ subject) error {
			_, err := rt.ImportImage(ctx, "shunt.test/never-made:1", bytes.NewReader(emptyTar))
			return err
		},
	} {
		all = append(all, call{op, false, do})
	}
	return all
}

func lifecycleCalls() map[string]idCall {
	return map[string]idCall{
		"Start":   telling(runtime.Runtime.Start),
		"Pause":   telling(runtime.Runtime.Pause),
		"Unpause": telling(runtime.Runtime.Unpause),
		"Stop": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Stop(ctx, id, 0)
		},
		"Kill": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Kill(ctx, id, "KILL")
		},
		"Remove": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Remove(ctx, id, runtime.RemoveOptions{})
		},
		"Rename": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Rename(ctx, id, "second-"+id.Service)
		},
		"UpdateResources": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.UpdateResources(ctx, id, messages.Resources{CPUMilli: 500})
		},
		"SyncVolumes": asking(func(rt runtime.Runtime, ctx context.Context, id runtime.ContainerID) ([]messages.VolumeBytes, error) {
			return rt.SyncVolumes(ctx, id, runtime.SyncOptions{})
		}),
	}
}

func inspectorCalls() map[string]idCall {
	return map[string]idCall{
		"State":        asking(runtime.Runtime.State),
		"Inspect":      asking(runtime.Runtime.Inspect),
		"Stats":        asking(runtime.Runtime.Stats),
		"PID":          asking(runtime.Runtime.PID),
		"IP":           asking(runtime.Runtime.IP),
		"PortOverride": asking(runtime.Runtime.PortOverride),
		"PortMappings": asking(runtime.Runtime.PortMappings),
		"NamespaceID":  asking(runtime.Runtime.NamespaceID),
		"Top":          asking(runtime.Runtime.Top),
		"Changes":      asking(runtime.Runtime.Changes),
		"StatsStream": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return firstOf(rt.StatsStream(ctx, id, time.Second))
		},
	}
}

func runnerCalls() map[string]idCall {
	return map[string]idCall{
		"Wait": asking(runtime.Runtime.Wait),
		"WaitOutcome": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.WaitOutcome(ctx, id, messages.WaitNotRunning)
			return err
		},
		"Logs": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return firstOf(rt.Logs(ctx, id, runtime.LogOptions{Tail: -1}))
		},
		"Exec": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.Exec(ctx, id, runtime.ExecOptions{Cmd: []string{"true"}})
			return err
		},
		"ExecStream": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return firstOf(rt.ExecStream(ctx, id, runtime.ExecOptions{Cmd: []string{"true"}}))
		},
		"ExecSession": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			session, err := rt.ExecSession(ctx, id, runtime.ExecOptions{Cmd: []string{"true"}, Stdin: true})
			if err == nil {
				err = session.Close()
			}
			return err
		},
		"Probe": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.Probe(ctx, id, messages.Health{Command: []string{"true"}})
			return err
		},
		"CopyIn": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.CopyIn(ctx, id, "/", bytes.NewReader(emptyTar))
		},
		"CopyOut": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.CopyOut(ctx, id, "/", io.Discard)
		},
		"Export": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Export(ctx, id, io.Discard)
		},
		"Commit": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.Commit(ctx, id, "shunt.test/never-made:1")
			return err
		},
	}
}

// variants are other calls of the same operations, by the names of their rows
// in the matrix.
func variants() map[string]idCall {
	until := func(condition messages.WaitCondition) idCall {
		return func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.WaitOutcome(ctx, id, condition)
			return err
		}
	}
	return map[string]idCall{
		"Remove_by_force": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Remove(ctx, id, runtime.RemoveOptions{Force: true})
		},
		"WaitOutcome_next_exit": until(messages.WaitNextExit),
		"WaitOutcome_removed":   until(messages.WaitRemoved),
		"Logs_followed": func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return lastOf(rt.Logs(ctx, id, runtime.LogOptions{Tail: -1, Follow: true}))
		},
	}
}

// emptyTar is an archive without entries: two blocks of zeros.
var emptyTar = make([]byte, 1024)

// firstOf is the error of a sequence's first element, nil when there is none.
func firstOf[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		return err
	}
	return nil
}

// lastOf reads a sequence to its end and is its last error.
func lastOf[T any](seq iter.Seq2[T, error]) (last error) {
	for _, err := range seq {
		last = err
	}
	return last
}
