package checker

import (
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// named is rule 2 as well: who may have a name beside whom.
func (m *model) named(j *job) []Violation {
	if !runs(j.live) {
		return nil
	}
	var found []Violation
	for _, other := range m.jobs {
		// Each pair is told of once.
		if other.id <= j.id || !runs(other.live) || other.live.Job.ContainerName() != j.live.Job.ContainerName() {
			continue
		}
		if !takesOver(j.live, other.live) && !takesOver(other.live, j.live) {
			found = append(found, Violation{
				Rule: 2, Job: j.id, What: fmt.Sprintf("it and job %s run under the name %s at the end", other.id, j.live.Job.ContainerName()),
			})
		}
	}
	return found
}

// runs tells whether a live record is of a container that runs.
func runs(r *messages.Record) bool {
	return r != nil && r.State == messages.StateRunning && r.Job.Op == messages.OpRun
}

// takesOver tells whether a job is on its way to take its name over from another.
func takesOver(r, other *messages.Record) bool {
	return r.Replaces != nil && r.Replaces.Job == other.Job.ID
}
