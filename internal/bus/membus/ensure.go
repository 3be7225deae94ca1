package membus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Ensure implements bus.Bus. It changes nothing that exists.
func (c *Conn) Ensure(ctx context.Context, layout bus.Layout) error {
	if err := c.open(ctx); err != nil {
		return fmt.Errorf("ensure the layout: %w", err)
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, want := range layout.Streams {
		errs = append(errs, s.ensure("stream "+want.Name, want, max(layout.Replicas, 1)))
	}
	for _, want := range layout.Buckets {
		errs = append(errs, s.ensure("bucket "+want.Name, bus.Stream{
			Name: bucketStream(want.Name), Subjects: []string{bucketPrefix(want.Name) + ">"},
			DiscardNew: true, MaxPerSubject: 1, MaxBytes: want.MaxBytes,
		}, max(layout.Replicas, 1)))
	}
	return errors.Join(errs...)
}

func (s *Server) ensure(what string, want bus.Stream, replicas int) error {
	if want.MaxBytes <= 0 {
		return fmt.Errorf("%s: the layout gives it no size limit", what)
	}
	if st := s.streams[want.Name]; st != nil {
		return st.compare(what, want, replicas)
	}
	for _, subject := range want.Subjects {
		if err := checkSubject(subject, true); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		for _, other := range s.streams {
			if slices.ContainsFunc(other.subjects, newPattern(subject).overlaps) {
				return fmt.Errorf("%s: stream %s holds subjects of %s", what, other.cfg.Name, subject)
			}
		}
	}
	s.streams[want.Name] = newStream(s, want, replicas)
	return nil
}

// compare tells what about a stream would break what the layout promises.
func (st *stream) compare(what string, want bus.Stream, replicas int) error {
	var errs []error
	differ := func(setting string, is, want any) {
		if is != want {
			errs = append(errs, fmt.Errorf("%s: %s is %v, must be %v", what, setting, is, want))
		}
	}
	sorted := func(subjects []string) string { return fmt.Sprint(slices.Sorted(slices.Values(subjects))) }
	differ("subjects", sorted(st.cfg.Subjects), sorted(want.Subjects))
	differ("work queue", st.cfg.WorkQueue, want.WorkQueue)
	differ("discard new", st.cfg.DiscardNew, want.DiscardNew)
	differ("messages per subject", st.cfg.MaxPerSubject, want.MaxPerSubject)
	differ("replicas", st.replicas, replicas)
	return errors.Join(errs...)
}
