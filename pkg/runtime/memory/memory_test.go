package memory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

func TestConfigNamesWhatIsWrong(t *testing.T) {
	images := memory.StaticImages{}
	for want, cfg := range map[string]memory.Config{
		"Platforms is empty":            {Images: images},
		"Platforms[1]":                  {Images: images, Platforms: []messages.Platform{linux, {OS: "plan9", Arch: "amd64"}}},
		"want both os and arch":         {Images: images, Platforms: []messages.Platform{{OS: messages.Linux}}},
		"Images is nil":                 {Platforms: []messages.Platform{linux}},
		"LogBytes is -1":                {Images: images, Platforms: []messages.Platform{linux}, LogBytes: -1},
		"LogBytes is 0 and KeptLogs -2": {Images: images, Platforms: []messages.Platform{linux}, KeptLogs: -2},
	} {
		if _, err := memory.NewMachine(cfg); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want InvalidArgument with %q", err, want)
		}
	}
}

// output is all that a container has written, on both streams.
func output(t *testing.T, rt runtime.Runtime, id runtime.ContainerID) string {
	t.Helper()
	var out strings.Builder
	for entry, err := range rt.Logs(t.Context(), id, runtime.LogOptions{Tail: -1}) {
		must(t, err)
		out.Write(entry.Message)
	}
	return out.String()
}

func TestTheImagesOwnConfigRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := memory.New(newMachine(t, linux))
		start(t, rt, web, &messages.Spec{Image: "docker.io/library/hello:latest"})
		if code, err := rt.Wait(t.Context(), web); code != 0 || err != nil || output(t, rt, web) != "hello\n" {
			t.Errorf("gave %d, %v and %q, want 0 and hello", code, err, output(t, rt, web))
		}
		db := runtime.ContainerID{Service: "db"}
		start(t, rt, db, &messages.Spec{Image: "hello", Entrypoint: []string{"daemon"}})
		synctest.Wait()
		must(t, rt.Stop(t.Context(), db, -1))
		if state, err := rt.State(t.Context(), db); err != nil || state.ExitCode != 130 {
			t.Errorf("stopped by the image's SIGINT it is %+v, %v; want exit code 130", state, err)
		}
	})
}

func TestForeignPlatformsAreRefused(t *testing.T) {
	rt := memory.New(newMachine(t, windows))
	older := messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.17763.1"}
	revision := messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348.9"}
	if _, err := rt.Pull(t.Context(), toybox, runtime.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	for platform, want := range map[messages.Platform]messages.RefuseCode{
		linux: messages.RefusePlatform, {Arch: "arm64"}: messages.RefusePlatform, older: messages.RefuseOSVersion,
		revision: "", {OS: messages.Windows}: "", {}: "",
	} {
		spec := &messages.Spec{Image: toybox, Platform: &platform}
		err := rt.Create(t.Context(), web, spec, runtime.CreateOptions{})
		verdict, refused := errors.AsType[*runtime.RouteToPeerError](err)
		switch {
		case want == "" && err == nil:
			must(t, rt.Remove(t.Context(), web, runtime.RemoveOptions{}))
		case want == "" || !refused || verdict.Code != want || verdict.RequiredOS != platform.OS || verdict.RequiredArch != platform.Arch:
			t.Errorf("create for %q: %v, %+v; want the code %q", platform, err, verdict, want)
		case !strings.Contains(verdict.Reason, toybox) || !strings.Contains(verdict.Reason, windows.String()):
			t.Errorf("the reason %q names not both, the image and what runs here", verdict.Reason)
		}
	}
}

func TestAnImageForAnotherPlatformIsRefused(t *testing.T) {
	rt := memory.New(newMachine(t, linux))
	arm := messages.Platform{OS: messages.Linux, Arch: "arm64"}
	if _, err := rt.Pull(t.Context(), "linux-arm64", runtime.PullOptions{}); !errdefs.IsNotFound(err) {
		t.Errorf("pull for what the machine runs: %v, want NotFound", err)
	}
	if _, err := rt.Pull(t.Context(), "linux-arm64", runtime.PullOptions{Platform: arm}); err != nil {
		t.Fatal(err)
	}
	err := rt.Create(t.Context(), web, &messages.Spec{Image: "linux-arm64"}, runtime.CreateOptions{})
	if verdict, ok := errors.AsType[*runtime.RouteToPeerError](err); !ok || verdict.RequiredArch != "arm64" {
		t.Errorf("create: %v, want a verdict that names arm64", err)
	}
}

func TestAnImageIsHeldForEachPlatformItIsPulledFor(t *testing.T) {
	rt := memory.New(newMachine(t, windows, linux))
	for i, platform := range []messages.Platform{{}, linux, linux} {
		info, err := rt.Pull(t.Context(), toybox, runtime.PullOptions{Platform: platform, Policy: messages.PullAlways})
		if want := min(i+1, 2); err != nil || len(info.Platforms) != want {
			t.Errorf("pull %d gave %+v, %v; want %d platforms", i, info, err, want)
		}
	}
	for _, platform := range []messages.Platform{windows, linux} {
		id := runtime.ContainerID{Service: string(platform.OS)}
		must(t, rt.Create(t.Context(), id, &messages.Spec{Image: toybox}, runtime.CreateOptions{Platform: platform}))
		if details, err := rt.Inspect(t.Context(), id); err != nil || details.Platform != platform {
			t.Errorf("made for %s it is for %s, %v", platform, details.Platform, err)
		}
	}
	must(t, rt.Create(t.Context(), web, &messages.Spec{Image: toybox}, runtime.CreateOptions{}))
	if details, err := rt.Inspect(t.Context(), web); err != nil || details.Platform != windows {
		t.Errorf("without a wish it is for %s, %v; want the preferred %s", details.Platform, err, windows)
	}
}

func TestPruneImagesCountsContentOnce(t *testing.T) {
	rt := memory.New(newMachine(t, linux))
	if _, err := rt.Pull(t.Context(), toybox, runtime.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	must(t, rt.TagImage(t.Context(), toybox, "shunt.test/again:1"))
	pruned, err := rt.PruneImages(t.Context())
	if err != nil || len(pruned.Deleted) != 2 || pruned.SpaceReclaimed != 3 {
		t.Errorf("pruned %+v, %v; want two references and 3 bytes", pruned, err)
	}
}

func TestLogsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := memory.NewMachine(memory.Config{
			Platforms: []messages.Platform{linux},
			Images:    memory.StaticImages{toybox: {{Platform: linux}}},
			LogBytes:  10,
			KeptLogs:  2,
		})
		must(t, err)
		defer m.Close()
		rt := memory.New(m)
		for i := range 3 {
			id := runtime.ContainerID{Service: "log", Replica: uint32(i)}
			start(t, rt, id, run("sh", "-c", fmt.Sprintf("echo first; echo %d-a; echo %d-b", i, i)))
			_, err := rt.Wait(t.Context(), id)
			must(t, err)
			must(t, rt.Remove(t.Context(), id, runtime.RemoveOptions{}))
		}
		for i, want := range []string{"", "1-a\n1-b\n", "2-a\n2-b\n"} {
			id := runtime.ContainerID{Service: "log", Replica: uint32(i)}
			if want != "" && output(t, rt, id) != want {
				t.Errorf("output of the removed %s is %q, want the newest 10 bytes, %q", id, output(t, rt, id), want)
			}
			for _, err := range rt.Logs(t.Context(), id, runtime.LogOptions{Tail: -1}) {
				if (want == "") != errdefs.IsNotFound(err) {
					t.Errorf("output of the removed %s: %v", id, err)
				}
			}
		}
	})
}

func TestWhatIsNotThereIsNotMadeUp(t *testing.T) {
	rt := memory.New(newMachine(t, linux))
	start(t, rt, web, &messages.Spec{
		Ports:  []messages.Port{{Container: 80}},
		Mounts: []messages.Mount{{Type: messages.MountVolume, Source: "data", Target: "/data"}, {Type: messages.MountTmpfs, Target: "/tmp"}},
	})
	_, ports := rt.PortMappings(t.Context(), web)
	_, port := rt.PortOverride(t.Context(), web)
	_, exec := rt.Exec(t.Context(), web, runtime.ExecOptions{Cmd: []string{"curl", "localhost"}})
	_, script := rt.Exec(t.Context(), web, runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo a; curl localhost"}})
	_, tty := rt.ExecSession(t.Context(), web, runtime.ExecOptions{Cmd: []string{"true"}, TTY: true})
	for what, err := range map[string]error{"ports": ports, "port": port, "exec": exec, "script": script, "terminal": tty} {
		if !errdefs.IsNotImplemented(err) {
			t.Errorf("%s: %v, want NotImplemented", what, err)
		}
	}
	volumes, err := rt.SyncVolumes(t.Context(), web, runtime.SyncOptions{})
	if err != nil || len(volumes) != 1 || volumes[0] != (messages.VolumeBytes{Name: "data"}) {
		t.Errorf("volumes are %+v, %v; want data, empty", volumes, err)
	}
}
