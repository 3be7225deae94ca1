package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// submission is the flags of submit.
type submission struct {
	file, id, node string
	labels         map[string]string
	wait           bool
	auth           registryAuth
}

func (a *app) submitCommand() *cobra.Command {
	var s submission
	cmd := &cobra.Command{
		Use:   "submit -f FILE | IMAGE [-- ARGS…]",
		Short: "give the fleet a job",
		Example: "  shunt submit -f job.yaml\n" +
			"  shunt submit registry.example/team/hello:1 --wait -- echo hello",
		RunE: func(cmd *cobra.Command, args []string) error {
			job, err := a.readJob(&s, args)
			if err != nil {
				return err
			}
			return a.submit(cmd.Context(), job, s)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&s.file, "file", "f", "", "`FILE` with the Job, in YAML or JSON; - is standard input")
	f.StringVar(&s.id, "id", "", "`ID` of the job (default: the file's, else made up)")
	f.StringVar(&s.node, "node", "", "give it to this `NODE` directly, and not to the fleet")
	f.StringToStringVar(&s.labels, "require", nil, "a label that the node must have, as `k=v`")
	f.BoolVar(&s.wait, "wait", false, "wait for the job's end")
	s.auth.flags(f)
	return cmd
}

// readJob makes the job that the command line asks for.
func (a *app) readJob(s *submission, args []string) (messages.Job, error) {
	job := messages.Job{V: messages.Version, Op: messages.OpRun}
	if err := s.auth.check(s.file); err != nil {
		return job, err
	}
	switch {
	case s.file != "" && len(args) > 0:
		return job, fmt.Errorf("both -f %s and an image (%s) are given; want one", s.file, args[0])
	case s.file != "":
		var err error
		if job, err = a.readFile(s.file); err != nil {
			return job, err
		}
	case len(args) > 0:
		job.Spec = &messages.Spec{Image: args[0], Args: args[1:]}
	default:
		return job, errors.New("no job is given; want -f FILE, or an image")
	}
	if s.id != "" {
		job.ID = s.id
	}
	if job.ID == "" {
		job.ID = "job-" + strings.ToLower(rand.Text()[:10])
	}
	if len(s.labels) > 0 {
		job.Requires.Labels = s.labels
	}
	return job, job.Validate()
}

// readFile reads a Job in YAML or JSON, which is YAML too. Its v and id may be
// left out.
func (a *app) readFile(path string) (messages.Job, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(a.in)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return messages.Job{}, err
	}
	var fields map[string]any
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return messages.Job{}, fmt.Errorf("%s: %w", path, err)
	}
	if fields == nil {
		return messages.Job{}, fmt.Errorf("%s: is empty; want a Job, such as {id: hello-1, op: run, spec: {image: team/hello:1}}", path)
	}
	if fields["v"] == nil {
		fields["v"] = messages.Version
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return messages.Job{}, fmt.Errorf("%s: %w", path, err)
	}
	var job messages.Job
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&job); err != nil {
		_, err = messages.Decode[messages.Job](text) // says it better
		return job, fmt.Errorf("%s: %w", path, err)
	}
	return job, nil
}

func (a *app) submit(ctx context.Context, job messages.Job, s submission) error {
	ask, cancel := a.patience(ctx)
	defer cancel()
	c, err := a.connect(ask)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.auth.add(ask, a.in, c, s.node, &job); err != nil {
		return err
	}
	if s.node != "" {
		return a.direct(ctx, c, job, s)
	}
	if s.wait {
		return a.awaitEnd(ctx, func(ctx context.Context) (messages.Record, error) { return c.Run(ctx, job) })
	}
	if err := c.Submit(ask, job); err != nil {
		return err
	}
	return a.submitted(job.ID)
}

// direct gives the job to a node, and shows that node's answer.
func (a *app) direct(ctx context.Context, c *client.Client, job messages.Job, s submission) error {
	ask, cancel := a.patience(ctx)
	defer cancel()
	o, err := c.Command(ask, s.node, job, 0)
	if err != nil {
		return err
	}
	if o.Status == messages.StatusRejected {
		return o.Error
	}
	if s.wait {
		return a.awaitEnd(ctx, func(ctx context.Context) (messages.Record, error) { return c.Wait(ctx, job.ID) })
	}
	if a.output == "json" {
		return a.json(o)
	}
	switch {
	case o.Route != nil:
		_, err = fmt.Fprintf(a.out, "%s: %s refuses it (%s): %s\n", job.ID, o.Node, o.Route.Code, o.Route.Reason)
	default:
		_, err = fmt.Fprintf(a.out, "%s: %s by %s\n", job.ID, o.Status, o.Node)
	}
	return err
}

func (a *app) submitted(id string) error {
	if a.output == "json" {
		return a.json(map[string]string{"id": id})
	}
	_, err := fmt.Fprintf(a.out, "%s\n", id)
	return err
}

// awaitEnd shows a job once it has ended.
func (a *app) awaitEnd(ctx context.Context, wait func(context.Context) (messages.Record, error)) error {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	rec, err := wait(ctx)
	if err != nil {
		return err
	}
	if err := a.showRecord(&rec); err != nil {
		return err
	}
	if rec.State != messages.StateCompleted {
		return errJobFailed
	}
	return nil
}
