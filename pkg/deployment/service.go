package deployment

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// service is a service as it was read: a job without id and replica, and where
// in the text each of the job's fields came from.
type service struct {
	name     string
	at       value
	job      messages.Job
	replicas int
	from     map[string]value

	health *healthCheck // which may want the first endpoint
}

// mostReplicas bounds what a slip of the finger can start.
const mostReplicas = 10_000

func (r *reader) services(v value) []service {
	var all []service
	r.entries(v, "services by name", func(name string, key, v value) {
		if messages.CheckToken("", name) != nil {
			r.wrong(key, "%q is not allowed as a name; want A-Z a-z 0-9 - _, not beginning with _", name)
		}
		all = append(all, r.service(name, key, v))
	})
	return all
}

func (r *reader) service(name string, key, v value) service {
	s := service{
		name: name, at: key, replicas: 1, from: map[string]value{"service": key, "id": key},
		job: messages.Job{Kind: messages.KindService, Spec: &messages.Spec{}},
	}
	known := fields{}
	for _, part := range []fields{r.whatRuns(&s), r.howItRuns(&s), r.whereItRuns(&s), r.notHere()} {
		for name, read := range part {
			known[name] = read
		}
	}
	given := r.object(v.Node, v.path, known)
	r.requireIn(v, given, "image", "{name: IMAGE}")
	r.finishHealth(&s)
	return s
}

// at remembers where a field of the job came from, and reads it.
func (s *service) reads(field string, read func(value)) func(value) {
	return func(v value) {
		s.from[field] = v
		read(v)
	}
}

// whatRuns are the fields that say what is run.
func (r *reader) whatRuns(s *service) fields {
	spec := s.job.Spec
	return fields{
		"rtype": func(v value) { r.kind(s, v) },
		"image": func(v value) { r.image(s, v) },
		"platform": s.reads("spec.platform", func(v value) {
			spec.Platform = r.platform(v)
		}),
		"isolation": s.reads("spec.isolation", func(v value) { spec.Isolation = messages.Isolation(r.text(v)) }),
		"command": func(v value) {
			r.object(v.Node, v.path, fields{
				"entrypoint": s.reads("spec.entrypoint", func(v value) { spec.Entrypoint = r.words(v) }),
				"args":       s.reads("spec.args", func(v value) { spec.Args = r.words(v) }),
				"workdir":    s.reads("spec.workdir", func(v value) { spec.Workdir = r.text(v) }),
			})
		},
		"env":          s.reads("spec.env", func(v value) { spec.Env = r.env(v) }),
		"user":         s.reads("spec.user", func(v value) { spec.User = r.text(v) }),
		"extra_groups": s.reads("spec.groups", func(v value) { spec.Groups = r.words(v) }),
		"tty":          s.reads("spec.tty", func(v value) { spec.TTY = r.boolean(v) }),
		"stdin_open":   s.reads("spec.stdin", func(v value) { spec.Stdin = r.boolean(v) }),
		"labels":       s.reads("spec.labels", func(v value) { spec.Labels = r.labels(v) }),
	}
}

func (r *reader) kind(s *service, v value) {
	switch r.word(v, "service", "job", "cron") {
	case "job":
		s.job.Kind = messages.KindTask
	case "cron":
		r.wrong(v, "shunt keeps no schedule; want service or job, and a scheduler that submits it")
	}
}

func (r *reader) image(s *service, v value) {
	spec := s.job.Spec
	given := r.object(v.Node, v.path, fields{
		"name": s.reads("spec.image", func(v value) { spec.Image = r.text(v) }),
		"pull_policy": s.reads("spec.pull", func(v value) {
			spec.Pull = messages.PullPolicy(r.word(v, "always", "newer", "if_not_present", "never"))
		}),
	})
	r.requireIn(v, given, "name", "the image, such as registry.example/team/web:1.4")
}

// platform reads linux/amd64, or an object.
func (r *reader) platform(v value) *messages.Platform {
	if v.Kind == yaml.ScalarNode {
		p, err := messages.ParsePlatform(v.Value)
		if err != nil {
			r.wrong(v, "%v", err)
		}
		return &p
	}
	p := &messages.Platform{}
	r.object(v.Node, v.path, fields{
		"os": func(v value) {
			os, ok := messages.ParseOS(r.text(v))
			if p.OS = os; !ok {
				r.wrong(v, "%s is not allowed; want linux, windows or macos", shown(v.Node))
			}
		},
		"arch":       func(v value) { p.Arch = r.text(v) },
		"os_version": func(v value) { p.OSVersion = r.text(v) },
	})
	return p
}

// env reads variables. References to what is not in the text are refused: they
// would arrive as they stand.
func (r *reader) env(v value) map[string]string {
	env := r.dictionary(v)
	r.entries(v, "", func(name string, _, v value) {
		switch {
		case strings.HasPrefix(v.Value, "$S:"):
			r.wrong(v, "shunt keeps no secrets; want the value itself, or a file that the service reads")
		case strings.HasPrefix(v.Value, "$E:"):
			r.wrong(v, "the environment of whoever applies this is not read; want the value itself")
		}
	})
	return env
}

func (r *reader) labels(v value) map[string]string {
	labels := r.dictionary(v)
	if _, ok := labels[Label]; ok {
		r.wrong(v, "%s is shunt's own", Label)
	}
	return labels
}

// notHere are fields of the format for which shunt has nothing.
func (r *reader) notHere() fields {
	return fields{
		"schedule":     r.unknownToUs("a schedule"),
		"depends":      r.unknownToUs("an order in which services start"),
		"init":         r.unknownToUs("steps before the start"),
		"errors":       r.unknownToUs("a policy for failed steps"),
		"wasm_http":    r.unknownToUs("a WASM service"),
		"service_type": func(v value) { r.word(v, "standard") },
		"node_mode":    func(v value) { r.word(v, "shared") },
	}
}
