package placer

import (
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// encodeJob writes a job as a command. One that has grown over the limit by its
// refusals goes without them: they are the placers' to know.
func encodeJob(job messages.Job) ([]byte, error) {
	data, err := messages.Encode(job)
	if err != nil || len(data) <= messages.MaxJobSize {
		return data, err
	}
	job.RefusedDropped += len(job.Refused)
	job.Refused = nil
	return messages.Encode(job)
}

// encodeRecord writes a record. One that is larger than a message may be loses,
// in this order, its outcome's output, what the refusals said, and its history:
// a record that cannot be written would hold up its job for ever.
func encodeRecord(rec *messages.Record) ([]byte, error) {
	data, err := messages.Encode(rec)
	for _, cut := range []func(*messages.Record){cutOutput, cutRefusals, cutHistory} {
		if err != nil || len(data) <= messages.MaxMessageSize {
			break
		}
		smaller := *rec
		cut(&smaller)
		rec = &smaller
		data, err = messages.Encode(rec)
	}
	return data, err
}

func cutOutput(rec *messages.Record) {
	if rec.Outcome == nil || rec.Outcome.Result == nil {
		return
	}
	outcome, result := *rec.Outcome, *rec.Outcome.Result
	result.Stdout, result.Stderr, result.Deleted, result.Volumes = "", "", nil, nil
	result.Truncated = true
	outcome.Result = &result
	rec.Outcome = &outcome
}

func cutRefusals(rec *messages.Record) {
	rec.Job.Refused = slices.Clone(rec.Job.Refused)
	for i := range rec.Job.Refused {
		rec.Job.Refused[i].Reason = ""
	}
}

func cutHistory(rec *messages.Record) {
	keep := min(len(rec.History), 1)
	rec.HistoryDropped += len(rec.History) - keep
	rec.History = rec.History[len(rec.History)-keep:]
}
