// Package deployment reads a deployment, the YAML in which people say which
// services are to run, and makes the jobs of it. It is pure: bytes become jobs,
// or everything that is wrong with them, each mistake with its line and field.
//
//	version: v1
//	deployment: shop
//	services:
//	  web:
//	    image: {name: registry.example/shop/web:1.4}
//	    scale: {mode: fixed, replicas: 2}
//	    endpoints: [{name: http, protocol: http, port: 8080, expose: public}]
//
// Each replica of a service is a job. Its id ends in the beginning of its own
// fingerprint, so the same deployment makes the same jobs, and a changed service
// makes others, which take over the names of the ones before (args.replace).
package deployment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Label is the label, of every job's spec, that names its deployment.
const Label = "shunt.deployment"

// Version is the one version of the format.
const Version = "v1"

// Deployment is what was read: its name, and the jobs in the order of services
// and replicas.
type Deployment struct {
	Name string
	Jobs []messages.Job
}

// Mistake is something that is wrong in the text.
type Mistake struct {
	Line    int    // from 1
	Field   string // services.web.image.name
	Message string // what it is, and what would be right
}

// Error is "line 7: services.web.image.name: …".
func (m Mistake) Error() string {
	if m.Field == "" {
		return fmt.Sprintf("line %d: %s", m.Line, m.Message)
	}
	return fmt.Sprintf("line %d: %s: %s", m.Line, m.Field, m.Message)
}

// Mistakes are all that is wrong, in the order of lines. It is never empty.
type Mistakes []Mistake

// Error is one mistake a line.
func (ms Mistakes) Error() string {
	text := ""
	for i, m := range ms {
		if i > 0 {
			text += "\n"
		}
		text += m.Error()
	}
	return text
}

// Parse reads a deployment. The error is Mistakes.
func Parse(data []byte) (Deployment, error) {
	r := &reader{}
	d := r.deployment(data)
	if len(r.mistakes) == 0 {
		return d, nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
	return Deployment{}, r.mistakes
}

func (r *reader) deployment(data []byte) Deployment {
	doc, ok := r.document(data)
	if !ok {
		return Deployment{}
	}
	var d Deployment
	var version string
	var services []service
	given := r.object(doc, "", fields{
		"version":    func(v value) { version = r.word(v, Version) },
		"deployment": func(v value) { d.Name = r.token(v) },
		"services":   func(v value) { services = r.services(v) },
		"tunnels":    r.unknownToUs("a tunnel between nodes"),
		"api":        r.unknownToUs("an API server of the deployment"),
	})
	r.require(doc, given, "version", "v1")
	r.require(doc, given, "deployment", "the deployment's name")
	r.require(doc, given, "services", "the services, by name")
	if version != Version || len(r.mistakes) > 0 {
		return d
	}
	for i := range services {
		d.Jobs = append(d.Jobs, r.jobs(d.Name, &services[i])...)
	}
	return d
}

// jobs makes the jobs of a service's replicas, and checks them as a placer would.
func (r *reader) jobs(deployment string, s *service) []messages.Job {
	var jobs []messages.Job
	for replica := range s.replicas {
		job := s.job
		job.V, job.Op = messages.Version, messages.OpRun
		job.Service = deployment + "-" + s.name
		job.Replica = uint32(replica)
		job.Args.Replace = true
		spec := *job.Spec
		spec.Labels = map[string]string{Label: deployment}
		for k, v := range job.Spec.Labels {
			spec.Labels[k] = v
		}
		job.Spec = &spec
		id, err := identify(&job)
		if err == nil {
			job.ID = id
			err = job.Validate()
		}
		if err != nil {
			r.fault(s, err)
			return nil
		}
		jobs = append(jobs, job)
	}
	return jobs
}

// identify is `<deployment>-<service>-<replica>-<first 8 of the fingerprint>`, the
// fingerprint being that of the job under an id without it.
func identify(job *messages.Job) (string, error) {
	job.ID = job.Service + "-" + strconv.FormatUint(uint64(job.Replica), 10)
	data, err := messages.Encode(job)
	if err != nil {
		return "", err
	}
	fingerprint, err := messages.Fingerprint(data)
	if err != nil {
		return "", err
	}
	return job.ID + "-" + fingerprint[:8], nil
}

// document is the one document of the text.
func (r *reader) document(data []byte) (*yaml.Node, bool) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		r.syntax(err)
		return nil, false
	}
	if len(doc.Content) == 0 {
		r.mistakes = append(r.mistakes, Mistake{Line: 1, Message: "there is nothing; want version: v1, a deployment's name and its services"})
		return nil, false
	}
	return doc.Content[0], true
}
