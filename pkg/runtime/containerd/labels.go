//go:build linux || windows

package containerd

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// The labels of a container that shunt made. Only containers with labelService
// are listed.
const (
	labelPrefix   = "dev.shunt/"
	labelService  = labelPrefix + "service"
	labelReplica  = labelPrefix + "replica"
	labelJob      = labelPrefix + "job"
	labelAttempt  = labelPrefix + "attempt"
	labelDigest   = labelPrefix + "image-digest"
	labelPlatform = labelPrefix + "platform"
	labelName     = labelPrefix + "name"    // a second name
	labelStarted  = labelPrefix + "started" // when its program was last started
	labelFailed   = labelPrefix + "failed"  // why the last start failed
	labelMaking   = labelPrefix + "making"  // of the one call of Create that made it
	maxLabelBytes = 4096                    // of key and value together, by containerd
	maxFailReason = maxLabelBytes - len(labelFailed)
	specExtension = labelPrefix + "spec"
)

// stored is the spec as a container's extension: JSON, so that it may be larger
// than a label.
type stored struct{ value []byte }

func (s stored) GetTypeUrl() string { return specExtension }
func (s stored) GetValue() []byte   { return s.value }

// storeSpec keeps a spec without its sealed credentials: they were for the
// pull.
func storeSpec(spec *messages.Spec) (stored, error) {
	kept := *spec
	kept.RegistryAuth = nil
	data, err := json.Marshal(&kept)
	if err != nil {
		return stored{}, fmt.Errorf("spec: %w: %w", errdefs.ErrInvalidArgument, err)
	}
	return stored{value: data}, nil
}

// specOf is the spec that the container was made from.
func specOf(rec containers.Container) (*messages.Spec, error) {
	ext, ok := rec.Extensions[specExtension]
	if !ok {
		return nil, fmt.Errorf("its record holds no spec: %w", errdefs.ErrDataLoss)
	}
	spec := &messages.Spec{}
	if err := json.Unmarshal(ext.GetValue(), spec); err != nil {
		return nil, fmt.Errorf("the spec in its record: %w: %w", errdefs.ErrDataLoss, err)
	}
	return spec, nil
}

// labelsFor are the labels of a new container.
func labelsFor(id runtime.ContainerID, owner runtime.Owner, img *image) map[string]string {
	labels := map[string]string{
		labelService:  id.Service,
		labelReplica:  strconv.FormatUint(uint64(id.Replica), 10),
		labelDigest:   img.target.Digest.String(),
		labelPlatform: img.platform.String(),
		labelMaking:   rand.Text(),
	}
	if owner.Job != "" {
		labels[labelJob] = owner.Job
		labels[labelAttempt] = strconv.FormatUint(owner.Attempt, 10)
	}
	return labels
}

// identityOf is whose container a record is; ok is false when shunt did not
// make it.
func identityOf(labels map[string]string) (id runtime.ContainerID, owner runtime.Owner, ok bool) {
	service, ok := labels[labelService]
	if !ok {
		return id, owner, false
	}
	replica, err := strconv.ParseUint(labels[labelReplica], 10, 32)
	if err != nil {
		return id, owner, false
	}
	owner.Job = labels[labelJob]
	owner.Attempt, _ = strconv.ParseUint(labels[labelAttempt], 10, 64) // none: 0
	return runtime.ContainerID{Service: service, Replica: uint32(replica)}, owner, true
}

// startedAt is when the container's program was last started; zero: never.
func startedAt(labels map[string]string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, labels[labelStarted])
	if err != nil {
		return time.Time{}
	}
	return at
}
