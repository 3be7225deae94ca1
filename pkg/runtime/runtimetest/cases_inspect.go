package runtimetest

import (
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func inspectCases() []testCase {
	return []testCase{
		{name: "platforms_are_named", covers: []string{"Platforms"}, run: func(s *scene) {
			platforms, err := s.rt.Platforms(s.ctx)
			s.must(err)
			if len(platforms) == 0 || slices.ContainsFunc(platforms, func(p messages.Platform) bool { return p.OS == "" || p.Arch == "" }) {
				s.Errorf("platforms are %v, want at least one, each with os and arch", platforms)
			}
		}},
		{name: "describe_names_the_kind", covers: []string{"Describe"}, run: func(s *scene) {
			description, err := s.rt.Describe(s.ctx)
			s.must(err)
			if description.Kind == "" || description.Version == "" {
				s.Errorf("description is %+v, want a kind and a version", description)
			}
		}},
		{name: "list_and_inspect_know_the_container", covers: []string{"List", "Inspect"}, run: listAndInspect},
		{name: "list_keeps_the_times_of_a_life", covers: []string{"List", "Inspect"}, run: lifeTimes},
		{name: "pid_of_the_main_process", covers: []string{"PID"}, run: mainPID},
		{name: "ip_is_an_address_or_none", covers: []string{"IP", "Inspect"}, run: func(s *scene) {
			id := s.lasting()
			ip, err := s.rt.IP(s.ctx, id)
			s.must(err)
			details, err := s.rt.Inspect(s.ctx, id)
			s.must(err)
			if want := details.IP; ip.IsValid() != (want != "") || ip.IsValid() && ip.String() != want {
				s.Errorf("ip is %v, inspect says %q", ip, want)
			}
		}},
		{name: "no_ports_are_published_unasked", covers: []string{"PortMappings", "PortOverride"}, run: func(s *scene) {
			id := s.lasting()
			ports, err := s.rt.PortMappings(s.ctx, id)
			s.must(err)
			port, err := s.rt.PortOverride(s.ctx, id)
			s.must(err)
			if len(ports) != 0 || port != 0 {
				s.Errorf("ports are %v and %d, want none", ports, port)
			}
		}},
		{name: "namespace_id_is_for_windows", covers: []string{"NamespaceID"}, run: namespaceID},
		{name: "stats_of_a_running_container", covers: []string{"Stats"}, run: statsRunning},
		{name: "stats_stream_ends_with_the_container", covers: []string{"StatsStream"}, run: statsStream},
		{name: "top_lists_the_program", covers: []string{"Top"}, run: func(s *scene) {
			processes, err := s.rt.Top(s.ctx, s.lasting())
			s.must(err)
			if len(processes) == 0 || processes[0].PID == 0 || processes[0].Command == "" {
				s.Errorf("processes are %+v, want at least one with its id and command", processes)
			}
		}},
	}
}

// listed is the container's own entry in the list.
func (s *scene) listed(id runtime.ContainerID) (runtime.Container, bool) {
	s.Helper()
	all, err := s.rt.List(s.ctx)
	s.must(err)
	i := slices.IndexFunc(all, func(c runtime.Container) bool { return c.ID == id })
	if i < 0 {
		return runtime.Container{}, false
	}
	if slices.ContainsFunc(all[i+1:], func(c runtime.Container) bool { return c.ID == id }) {
		s.Errorf("%s is listed twice", id)
	}
	return all[i], true
}

func listAndInspect(s *scene) {
	id := s.id()
	id.Replica = 3 // the clean-up of replica 0 finds nothing, so this case has its own
	defer func() { s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{Force: true})) }()
	spec := s.spec("sleep", "3600")
	spec.Labels = map[string]string{"team": "web"}
	spec.Env = map[string]string{"A": "1"}
	s.must(s.make(id, spec))
	s.must(s.rt.Start(s.ctx, id))
	container, ok := s.listed(id)
	if !ok {
		s.Fatalf("%s is not listed", id)
	}
	s.checkContainer(container, spec)
	details, err := s.rt.Inspect(s.ctx, id)
	s.must(err)
	s.checkContainer(details.Container, spec)
	if got := details.Spec; got == nil || got.Env["A"] != "1" || !slices.Equal(got.Args, spec.Args) || !slices.Equal(got.Entrypoint, spec.Entrypoint) {
		s.Errorf("inspect gives the spec %+v, want %+v", got, spec)
	}
}

func (s *scene) checkContainer(c runtime.Container, spec *messages.Spec) {
	s.Helper()
	if want := (runtime.Owner{Job: "job-" + c.ID.Service, Attempt: 7}); c.Owner != want {
		s.Errorf("owner is %+v, want %+v", c.Owner, want)
	}
	if c.Image != spec.Image || c.ImageDigest == "" || c.Platform.OS == "" || c.Platform.Arch == "" {
		s.Errorf("image is %q, digest %q, platform %v; want %q, a digest and a platform", c.Image, c.ImageDigest, c.Platform, spec.Image)
	}
	if c.Labels["team"] != spec.Labels["team"] {
		s.Errorf("labels are %v, want those of the spec, %v", c.Labels, spec.Labels)
	}
	if c.State.Phase != runtime.PhaseRunning {
		s.Errorf("state is %+v, want running", c.State)
	}
}

func lifeTimes(s *scene) {
	id := s.created("exit", "2")
	before, _ := s.listed(id)
	if before.CreatedAt.IsZero() || !before.StartedAt.IsZero() || !before.FinishedAt.IsZero() {
		s.Errorf("a created container was created %v, started %v, finished %v", before.CreatedAt, before.StartedAt, before.FinishedAt)
	}
	s.must(s.rt.Start(s.ctx, id))
	outcome := s.wait(id)
	after, err := s.rt.Inspect(s.ctx, id)
	s.must(err)
	if !after.CreatedAt.Equal(before.CreatedAt) || after.StartedAt.Before(after.CreatedAt.Truncate(time.Second)) || !after.FinishedAt.Equal(outcome.FinishedAt) {
		s.Errorf("an ended container was created %v (before: %v), started %v, finished %v (outcome: %v)",
			after.CreatedAt, before.CreatedAt, after.StartedAt, after.FinishedAt, outcome.FinishedAt)
	}
	if after.ExitReason != messages.ExitExited || after.State.ExitCode != 2 {
		s.Errorf("an ended container has reason %q and exit code %d, want exited and 2", after.ExitReason, after.State.ExitCode)
	}
}

func mainPID(s *scene) {
	id := s.created("sleep", "3600")
	pid := func() int {
		pid, err := s.rt.PID(s.ctx, id)
		s.must(err)
		return pid
	}
	if got := pid(); got != 0 {
		s.Errorf("pid before the start is %d, want 0", got)
	}
	s.must(s.rt.Start(s.ctx, id))
	if got := pid(); got <= 0 {
		s.Errorf("pid of a running container is %d", got)
	}
	s.must(s.rt.Kill(s.ctx, id, "KILL"))
	s.wait(id)
	if got := pid(); got != 0 {
		s.Errorf("pid after the end is %d, want 0", got)
	}
}

func namespaceID(s *scene) {
	id := s.lasting()
	details, err := s.rt.Inspect(s.ctx, id)
	s.must(err)
	namespace, err := s.rt.NamespaceID(s.ctx, id)
	s.must(err)
	if windows := details.Platform.OS == messages.Windows; windows != (namespace != "") {
		s.Errorf("namespace of a container for %s is %q", details.Platform, namespace)
	}
}

func statsRunning(s *scene) {
	stats, err := s.rt.Stats(s.ctx, s.lasting())
	s.must(err)
	if stats.MemoryBytes == 0 || stats.PIDs == 0 || stats.At.IsZero() {
		s.Errorf("stats are %+v, want memory, processes and a time", stats)
	}
	_, err = s.rt.Stats(s.ctx, s.ended("true"))
	s.wantCode("stats of an ended container", err, messages.CodeFailedPrecondition)
}

func statsStream(s *scene) {
	id := s.lasting()
	seen := 0
	for stats, err := range s.rt.StatsStream(s.ctx, id, 20*time.Millisecond) {
		s.must(err)
		if stats.At.IsZero() {
			s.Errorf("stats %d have no time", seen)
		}
		if seen++; seen == 2 {
			s.must(s.rt.Kill(s.ctx, id, "KILL"))
		}
	}
	if seen < 2 {
		s.Errorf("the stream gave %d stats before the container ended, want at least 2", seen)
	}
}
