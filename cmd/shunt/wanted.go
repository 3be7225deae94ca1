package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// wanted is what a command line says of the jobs that it wants.
type wanted struct {
	id, service, kind, target string
	labels                    map[string]string
	env                       []string
	platform, pull            string
	replace                   bool
}

func (w *wanted) flags(cmd *cobra.Command, a *app) {
	f := cmd.Flags()
	f.StringVar(&w.id, "id", "", "`ID` of the job (default: the file's, else made up)")
	f.StringVar(&w.service, "service", "", "`NAME` of its service, for the container's name (default: the id)")
	f.StringVar(&w.kind, "kind", "", "task (default) or service, which runs until it is stopped")
	f.StringVar(&w.target, "target", "", "`NODE` that is tried first")
	f.StringToStringVar(&w.labels, "require", nil, "a label that the node must have, as `k=v`")
	f.StringArrayVarP(&w.env, "env", "e", nil, "a variable for the container, as `K=V`; K alone is taken from this environment")
	f.StringVar(&w.platform, "platform", "", "`OS/ARCH` that the container needs (default: what the image is made for)")
	f.StringVar(&w.pull, "pull", "", "always, newer, if_not_present or never")
	f.BoolVar(&w.replace, "replace", false, "take the name over from the job that holds it")
	_ = cmd.RegisterFlagCompletionFunc("target", a.completeNodes)
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"task", "service"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("pull", cobra.FixedCompletions([]string{"always", "newer", "if_not_present", "never"}, cobra.ShellCompDirectiveNoFileComp))
}

// wantedJobs are the jobs that the command line asks for.
func (a *app) wantedJobs(w *wanted, files, args []string) ([]messages.Job, error) {
	var jobs []messages.Job
	switch {
	case len(files) > 0 && len(args) > 0:
		return nil, fmt.Errorf("both -f %s and an image (%s) are given; want one", files[0], args[0])
	case len(files) > 0:
		var err error
		if jobs, err = a.readJobs(files, w.apply); err != nil {
			return nil, err
		}
	case len(args) > 0:
		job := messages.Job{V: messages.Version, Op: messages.OpRun, Spec: &messages.Spec{Image: args[0], Args: args[1:]}}
		if err := w.apply(&job); err != nil {
			return nil, err
		}
		jobs = []messages.Job{job}
	default:
		return nil, errors.New("no job is given; want -f FILE, or an image")
	}
	if len(jobs) > 1 && w.id != "" {
		return nil, fmt.Errorf("--id %s: %d jobs are given; want one, or ids in the files", w.id, len(jobs))
	}
	return jobs, nil
}

// apply writes what the flags say into a job, and checks it.
func (w *wanted) apply(job *messages.Job) error {
	if w.id != "" {
		job.ID = w.id
	}
	if job.ID == "" {
		job.ID = client.NewID()
	}
	if w.service != "" {
		job.Service = w.service
	}
	if w.kind != "" {
		job.Kind = messages.Kind(w.kind)
	}
	if w.target != "" {
		job.Target = w.target
	}
	if len(w.labels) > 0 {
		job.Requires.Labels = w.labels
	}
	if w.replace {
		job.Args.Replace = true
	}
	if err := w.applySpec(job.Spec); err != nil {
		return err
	}
	return job.Validate()
}

func (w *wanted) applySpec(spec *messages.Spec) error {
	if spec == nil {
		return nil
	}
	if w.platform != "" {
		p, err := messages.ParsePlatform(w.platform)
		if err != nil {
			return fmt.Errorf("--platform: %w", err)
		}
		spec.Platform = &p
	}
	if w.pull != "" {
		spec.Pull = messages.PullPolicy(w.pull)
	}
	for _, variable := range w.env {
		name, value, given := strings.Cut(variable, "=")
		if !given {
			value = os.Getenv(name)
		}
		if spec.Env == nil {
			spec.Env = map[string]string{}
		}
		spec.Env[name] = value
	}
	return nil
}
