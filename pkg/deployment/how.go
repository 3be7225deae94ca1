package deployment

import (
	"math"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// howItRuns are the fields that say how a container is kept and confined.
func (r *reader) howItRuns(s *service) fields {
	spec := s.job.Spec
	return fields{
		"resources":         s.reads("spec.resources", func(v value) { r.resources(s, v) }),
		"health":            s.reads("spec.health", func(v value) { s.health = r.healthCheck(v) }),
		"restart":           s.reads("spec.restart", func(v value) { spec.Restart = r.restart(v) }),
		"stop_signal":       s.reads("spec.stop_signal", func(v value) { spec.StopSignal = r.text(v) }),
		"stop_grace_period": s.reads("spec.stop_grace", func(v value) { spec.StopGrace = r.duration(v) }),
		"read_only_root_fs": s.reads("spec.read_only", func(v value) { spec.ReadOnly = r.boolean(v) }),
		"privileged":        s.reads("spec.privileged", func(v value) { spec.Privileged = r.boolean(v) }),
		"cap_add":           s.reads("spec.cap_add", func(v value) { spec.CapAdd = append(spec.CapAdd, r.words(v)...) }),
		"capabilities":      s.reads("spec.cap_add", func(v value) { spec.CapAdd = append(spec.CapAdd, r.words(v)...) }),
		"cap_drop":          s.reads("spec.cap_drop", func(v value) { spec.CapDrop = r.words(v) }),
		"devices": s.reads("spec.devices", func(v value) {
			r.each(v, "devices", func(v value) { spec.Devices = append(spec.Devices, r.device(v)) })
		}),
		"sysctls": s.reads("spec.sysctls", func(v value) { spec.Sysctls = r.dictionary(v) }),
		"ulimits": s.reads("spec.ulimits", func(v value) { spec.Ulimits = r.ulimits(v) }),
	}
}

func (r *reader) resources(s *service, v value) {
	res := &s.job.Spec.Resources
	r.object(v.Node, v.path, fields{
		"cpu":        s.reads("spec.resources.cpu_milli", func(v value) { res.CPUMilli = r.milli(v) }),
		"memory":     s.reads("spec.resources.memory", func(v value) { res.Memory = r.size(v) }),
		"pids_limit": s.reads("spec.resources.pids", func(v value) { res.PIDs = r.whole(v, 1, math.MaxInt64) }),
		"cpuset":     s.reads("spec.resources.cpuset", func(v value) { res.CPUSet = r.text(v) }),
		"gpu": s.reads("spec.resources.gpu", func(v value) {
			if v.Kind == yaml.ScalarNode {
				res.GPU = r.whole(v, 0, math.MaxInt64)
				return
			}
			res.GPU = 1
			r.object(v.Node, v.path, fields{
				"count":  func(v value) { res.GPU = r.whole(v, 0, math.MaxInt64) },
				"vendor": r.unknownToUs("a choice between makers of GPUs (a label of the node can say it)"),
				"mode":   r.unknownToUs("a mode of GPUs"),
			})
		}),
	})
}

func (r *reader) restart(v value) *messages.Restart {
	policies := []string{"no", "always", "unless_stopped", "on_failure"}
	if v.Kind == yaml.ScalarNode {
		return &messages.Restart{Policy: messages.RestartPolicy(r.word(v, policies...))}
	}
	restart := &messages.Restart{}
	given := r.object(v.Node, v.path, fields{
		"policy": func(v value) { restart.Policy = messages.RestartPolicy(r.word(v, policies...)) },
		"max":    func(v value) { restart.Max = int(r.whole(v, 0, math.MaxInt32)) },
		"delay":  func(v value) { restart.Delay = r.duration(v) },
	})
	r.requireIn(v, given, "policy", strings.Join(policies, ", "))
	return restart
}

// device reads /dev/x[:/dev/y[:rwm]], or an object.
func (r *reader) device(v value) string {
	if v.Kind == yaml.ScalarNode {
		return v.Value
	}
	var path string
	may := map[string]bool{"r": true, "w": true}
	given := r.object(v.Node, v.path, fields{
		"path":  func(v value) { path = r.text(v) },
		"read":  func(v value) { may["r"] = r.boolean(v) },
		"write": func(v value) { may["w"] = r.boolean(v) },
		"mknod": func(v value) { may["m"] = r.boolean(v) },
	})
	r.requireIn(v, given, "path", "the device, such as /dev/kvm")
	rights := ""
	for _, right := range []string{"r", "w", "m"} {
		if may[right] {
			rights += right
		}
	}
	return path + ":" + path + ":" + rights
}

func (r *reader) ulimits(v value) map[string]messages.Ulimit {
	limits := map[string]messages.Ulimit{}
	r.entries(v, "limits by name", func(name string, _, v value) {
		var limit messages.Ulimit
		if v.Kind == yaml.ScalarNode {
			limit.Soft = r.whole(v, -1, math.MaxInt64)
			limit.Hard = limit.Soft
		} else {
			given := r.object(v.Node, v.path, fields{
				"soft": func(v value) { limit.Soft = r.whole(v, -1, math.MaxInt64) },
				"hard": func(v value) { limit.Hard = r.whole(v, -1, math.MaxInt64) },
			})
			r.requireIn(v, given, "soft", "a number")
			r.requireIn(v, given, "hard", "a number")
		}
		limits[name] = limit
	})
	return limits
}
