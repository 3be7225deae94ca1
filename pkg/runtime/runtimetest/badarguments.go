package runtimetest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A mistake is a call with something wrong in its arguments. It is made about a
// container that runs, which it leaves running.
type mistake struct {
	op, what string
	code     messages.Code
	do       func(ctx context.Context, rt runtime.Runtime, on subject) error
}

// takesAnything are operations whose arguments cannot be wrong: every number,
// flag and writer means something.
var takesAnything = []string{"Stop", "Remove", "Logs", "Export"}

// badReference is not one: there are no capitals in a name.
const badReference = "shunt.test/NOT/a reference"

// mistakes has a row for each argument that can be wrong.
func mistakes() []mistake {
	const invalid, missing = messages.CodeInvalidArgument, messages.CodeNotFound
	return []mistake{
		{"Create", "no_spec", invalid, creating(func(*messages.Spec) *messages.Spec { return nil })},
		{"Create", "no_image", invalid, creating(func(s *messages.Spec) *messages.Spec { s.Image = ""; return s })},
		{"Create", "bad_image", invalid, creating(func(s *messages.Spec) *messages.Spec { s.Image = badReference; return s })},
		{"Create", "missing_image", missing, creating(func(s *messages.Spec) *messages.Spec { s.Image = tag(); return s })},
		{"Create", "unknown_stop_signal", invalid, creating(func(s *messages.Spec) *messages.Spec { s.StopSignal = "NOPE"; return s })},
		{"Kill", "unknown_signal", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.Kill(ctx, id, "NOPE")
		})},
		{"Rename", "no_name", invalid, renaming("")},
		{"Rename", "name_with_a_space", invalid, renaming("a b")},
		{"Rename", "long_name", invalid, renaming(strings.Repeat("x", messages.MaxTokenLength+1))},
		{"UpdateResources", "negative_memory", invalid, updating(messages.Resources{Memory: -1})},
		{"UpdateResources", "negative_cpu", invalid, updating(messages.Resources{CPUMilli: -1})},
		{"SyncVolumes", "copy_of_no_volume", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.SyncVolumes(ctx, id, runtime.SyncOptions{Copy: "shunt.test/copy:1"})
			return err
		})},
		{"StatsStream", "no_interval", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return firstOf(rt.StatsStream(ctx, id, 0))
		})},
		{"StatsStream", "negative_interval", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return firstOf(rt.StatsStream(ctx, id, -time.Second))
		})},
		{"WaitOutcome", "unknown_condition", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.WaitOutcome(ctx, id, "someday")
			return err
		})},
		{"Exec", "no_command", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.Exec(ctx, id, runtime.ExecOptions{})
			return err
		})},
		{"ExecStream", "no_command", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return firstOf(rt.ExecStream(ctx, id, runtime.ExecOptions{}))
		})},
		{"ExecSession", "no_command", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			session, err := rt.ExecSession(ctx, id, runtime.ExecOptions{})
			if err == nil {
				_ = session.Close() // and it should not have been opened
			}
			return err
		})},
		{"Probe", "no_check", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.Probe(ctx, id, messages.Health{})
			return err
		})},
		{"CopyIn", "no_archive", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.CopyIn(ctx, id, "/", strings.NewReader("no archive"))
		})},
		{"CopyOut", "missing_path", missing, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			return rt.CopyOut(ctx, id, "/nothing/here", io.Discard)
		})},
		{"Commit", "bad_reference", invalid, about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
			_, err := rt.Commit(ctx, id, badReference)
			return err
		})},
	}
}

// imageMistakes are the rows of operations on images.
func imageMistakes() []mistake {
	const invalid, missing = messages.CodeInvalidArgument, messages.CodeNotFound
	return []mistake{
		{"Pull", "bad_reference", invalid, pulling(badReference, "")},
		{"Pull", "unknown_policy", invalid, pulling("", "sometimes")},
		{"Pull", "not_there_and_never_pulled", missing, pulling(tag(), messages.PullNever)},
		{"RemoveImage", "bad_reference", invalid, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			return rt.RemoveImage(ctx, badReference, false)
		})},
		{"RemoveImage", "missing_image", missing, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			return rt.RemoveImage(ctx, tag(), true)
		})},
		{"TagImage", "bad_source", invalid, tagging(badReference, tag())},
		{"TagImage", "missing_source", missing, tagging(tag(), tag())},
		{"TagImage", "bad_target", invalid, tagging("", badReference)},
		{"ImageHistory", "missing_image", missing, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			_, err := rt.ImageHistory(ctx, tag())
			return err
		})},
		{"SearchImages", "no_term", invalid, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			_, err := rt.SearchImages(ctx, "", 1)
			return err
		})},
		{"SaveImages", "missing_image", missing, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			return rt.SaveImages(ctx, []string{tag()}, io.Discard)
		})},
		{"LoadImages", "no_archive", invalid, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			_, err := rt.LoadImages(ctx, strings.NewReader("no archive"))
			return err
		})},
		{"ImportImage", "bad_reference", invalid, onImages(func(ctx context.Context, rt runtime.Runtime) error {
			_, err := rt.ImportImage(ctx, badReference, bytes.NewReader(emptyTar))
			return err
		})},
	}
}

type mistaken = func(context.Context, runtime.Runtime, subject) error

func about(do idCall) mistaken { return onID(do) }

func onImages(do func(context.Context, runtime.Runtime) error) mistaken {
	return func(ctx context.Context, rt runtime.Runtime, _ subject) error { return do(ctx, rt) }
}

// creating makes a container beside the subject, of a spec that was spoilt.
func creating(spoil func(*messages.Spec) *messages.Spec) mistaken {
	return func(ctx context.Context, rt runtime.Runtime, on subject) error {
		id := on.id
		id.Replica++
		spec := spoil(&messages.Spec{Image: on.image, Entrypoint: []string{"true"}})
		err := rt.Create(ctx, id, spec, runtime.CreateOptions{Platform: on.platform})
		if _, left := rt.State(ctx, id); left == nil {
			_ = rt.Remove(ctx, id, runtime.RemoveOptions{Force: true}) // what matters is that it was there
			return nil
		}
		return err
	}
}

func renaming(name string) mistaken {
	return about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
		return rt.Rename(ctx, id, name)
	})
}

func updating(res messages.Resources) mistaken {
	return about(func(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
		return rt.UpdateResources(ctx, id, res)
	})
}

// pulling pulls an image; "" is the suite's.
func pulling(ref string, policy messages.PullPolicy) mistaken {
	return func(ctx context.Context, rt runtime.Runtime, on subject) error {
		_, err := rt.Pull(ctx, cmp.Or(ref, on.image), runtime.PullOptions{Policy: policy, Platform: on.platform})
		return err
	}
}

func tagging(source, target string) mistaken {
	return func(ctx context.Context, rt runtime.Runtime, on subject) error {
		return rt.TagImage(ctx, cmp.Or(source, on.image), target)
	}
}
