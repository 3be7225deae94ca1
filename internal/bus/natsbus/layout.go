package natsbus

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// streamConfig is a stream of the layout in JetStream's terms. The size of a
// message is bounded by the server's max_payload alone.
func streamConfig(s bus.Stream, replicas int) jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:              s.Name,
		Subjects:          s.Subjects,
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardOld,
		MaxAge:            s.MaxAge,
		MaxBytes:          s.MaxBytes,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: unlimited(s.MaxPerSubject),
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Storage:           jetstream.FileStorage,
		Replicas:          max(replicas, 1),
		Duplicates:        duplicateWindow,
		AllowDirect:       true,
	}
	if s.WorkQueue {
		cfg.Retention = jetstream.WorkQueuePolicy
	}
	if s.DiscardNew {
		cfg.Discard = jetstream.DiscardNew
	}
	if s.MaxAge > 0 {
		cfg.Duplicates = min(cfg.Duplicates, s.MaxAge)
	}
	return cfg
}

// bucketConfig is a key-value bucket as ADR-8 has it, with messages that may
// have a time to live, which the markers of deleted keys need.
func bucketConfig(s bus.Store, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              "KV_" + s.Name,
		Subjects:          []string{"$KV." + s.Name + ".>"},
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew,
		MaxBytes:          s.MaxBytes,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: 1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Storage:           jetstream.FileStorage,
		Replicas:          max(replicas, 1),
		Duplicates:        duplicateWindow,
		AllowDirect:       true,
		AllowRollup:       true,
		DenyDelete:        true,
		AllowMsgTTL:       true,
	}
}

func unlimited(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

// compare tells what about a stream would break shunt's promises. Limits of size
// and age are the operator's to choose, as long as there is one of size.
func compare(what string, is, want jetstream.StreamConfig) error {
	var errs []error
	differ := func(setting string, is, want any) {
		if is != want {
			errs = append(errs, fmt.Errorf("%s: %s is %v, must be %v", what, setting, is, want))
		}
	}
	differ("subjects", fmt.Sprint(slices.Sorted(slices.Values(is.Subjects))),
		fmt.Sprint(slices.Sorted(slices.Values(want.Subjects))))
	differ("retention", is.Retention.String(), want.Retention.String())
	differ("discard", is.Discard.String(), want.Discard.String())
	differ("storage", is.Storage.String(), want.Storage.String())
	differ("persist_mode", strings.ToLower(is.PersistMode.String()), strings.ToLower(want.PersistMode.String()))
	differ("max_msgs_per_subject", is.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	differ("num_replicas", is.Replicas, want.Replicas)
	differ("allow_msg_ttl", is.AllowMsgTTL || !want.AllowMsgTTL, true)
	differ("allow_rollup_hdrs", is.AllowRollup || !want.AllowRollup, true)
	if is.MaxBytes <= 0 {
		errs = append(errs, fmt.Errorf("%s: max_bytes is %d, must be above 0 (%d is the default)", what, is.MaxBytes, want.MaxBytes))
	}
	if is.MaxMsgSize > 0 && is.MaxMsgSize < messages.MaxBusPayload {
		errs = append(errs, fmt.Errorf("%s: max_msg_size is %d, must be -1 or at least %d", what, is.MaxMsgSize, messages.MaxBusPayload))
	}
	return errors.Join(errs...)
}
