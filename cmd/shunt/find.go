package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// place is a container and the node that has it.
type place struct {
	node      string
	container string
	job       string // "": not known
	ended     bool   // the job has
}

// find finds what a person names: a container, <service>-rep-<replica>, a job by
// its id, or a service that has one replica. With a node it is that node's
// container, whatever the placers know.
func find(ctx context.Context, c *client.Client, name, node string) (place, error) {
	if node != "" {
		return place{node: node, container: name}, nil
	}
	if service, replica, ok := messages.ParseContainerName(name); ok {
		for _, p := range must(holders(ctx, c, service)) {
			if p.container == messages.ContainerName(service, replica) {
				return p, nil
			}
		}
	}
	rec, err := c.Job(ctx, name)
	if err == nil {
		return placeOf(&rec)
	}
	if e, ok := errors.AsType[*messages.Error](err); !ok || e.Code != messages.CodeNotFound {
		return place{}, err
	}
	found, err := holders(ctx, c, name)
	switch {
	case err != nil:
		return place{}, err
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return place{}, fmt.Errorf("service %s has %d replicas; want one of them, such as %s", name, len(found), found[0].container)
	}
	return place{}, &messages.Error{
		Code: messages.CodeNotFound, Field: "container",
		Message: fmt.Sprintf("%q is no live container (<service>-rep-<replica>), no job and no service; a second name wants --node beside it", name),
	}
}

// must leaves an error to a later question, which will meet it again.
func must[T any](v T, _ error) T { return v }

// holders are the containers of a service's live jobs that are on some node, one
// for each name.
func holders(ctx context.Context, c *client.Client, service string) ([]place, error) {
	var live []messages.Record
	for rec, err := range c.Jobs(ctx, messages.JobsRequest{Service: service}) {
		if err != nil {
			return nil, err
		}
		live = append(live, rec)
	}
	var found []place
	for _, rec := range onePerName(live) {
		found = append(found, place{node: rec.Node, container: rec.Job.ContainerName(), job: rec.Job.ID})
	}
	return found, nil
}

// onePerName is the jobs that have a container, one for each container's name, in
// their order. While one takes over the name of another there are two: the one
// that is beside the holder of the name is no replica yet, and the one that has
// given it away is none any more.
func onePerName(live []messages.Record) []*messages.Record {
	var found []*messages.Record
	at := map[string]int{} // in found, by the container's name
	for i := range live {
		rec := &live[i]
		if rec.Node == "" || !rec.Job.Op.Places() {
			continue
		}
		name := rec.Job.ContainerName()
		if first, some := at[name]; !some {
			at[name] = len(found)
			found = append(found, rec)
		} else if outranks(rec, found[first]) {
			found[first] = rec
		}
	}
	return found
}

// outranks tells whether a name means this job rather than the other one: it holds
// the name, and has not just lost it to the other.
func outranks(rec, other *messages.Record) bool {
	if rec.Named && other.Named {
		return rec.Replaces != nil && rec.Replaces.Job == other.Job.ID
	}
	return rec.Named
}

// placeOf is where a job's container is, or was.
func placeOf(rec *messages.Record) (place, error) {
	if rec.Node == "" {
		return place{}, fmt.Errorf("job %s has no container: it is %s (%s)", rec.Job.ID, rec.State, orDash(rec.Reason))
	}
	return place{node: rec.Node, container: rec.Job.ContainerName(), job: rec.Job.ID, ended: rec.State.Ended()}, nil
}

// containerOf is the container of an op, as far as that can be known here. A name
// that nobody knows may be a second one, which its node knows.
func containerOf(ctx context.Context, c *client.Client, name string) (place, error) {
	p, err := find(ctx, c, name, "")
	if isNotFound(err) {
		return place{container: name}, nil
	}
	return p, err
}
