package worker

import (
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The name of a container belongs to one live job. Placers see to that, for the
// whole fleet, by claims; a worker, which has no right to read them, for what is
// given to it directly and what it is carrying out itself.

// holder is another job that is being carried out here under the name of the
// container that an attempt makes, and its attempt; nil: there is none.
func (a *attempts) holder(at *active) (job string, other *active) {
	if at.makes == nil {
		return "", nil
	}
	for k, other := range a.active {
		if k.Job != at.Job.ID && other.makes != nil && *other.makes == *at.makes {
			return k.Job, other
		}
	}
	return "", nil
}

// nameHeld rejects a direct command under a name that another job holds.
func nameHeld(job *messages.Job, holder string) error {
	instead := "give another service or replica, or let that job end first"
	if job.Args.Replace {
		instead = "a direct command cannot replace it; submit the job to the fleet, with this node as its target"
	}
	return &messages.Error{
		Code: messages.CodeAlreadyExists, Field: "service",
		Message: fmt.Sprintf("the name %s belongs to job %s on this node; %s", job.ContainerName(), holder, instead),
	}
}

// nameHere refuses a placed job while another one is here under its name: the one
// that it is to replace, or the one that replaces it.
func nameHere(job *messages.Job, holder string) *messages.RouteToPeer {
	return refusal(job, messages.RefuseCapacity, "job %s is on this node under the name %s, and a node has one container of a name", holder, job.ContainerName())
}
