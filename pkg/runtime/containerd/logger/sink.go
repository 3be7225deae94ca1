package logger

import (
	"fmt"
	"sync"
	"time"
)

// Sink writes a log from within this process, for a container whose output
// comes to the worker itself. Its streams may be written to from several
// goroutines.
type Sink struct {
	mu      sync.Mutex
	w       *writer
	streams []*splitter
}

// NewSink takes up the log in dir, which Prepare has made. The caller must Close
// it.
func NewSink(dir string) (*Sink, error) {
	settings, err := readSettings(dir)
	if err != nil {
		return nil, err
	}
	w, err := openWriter(dir, settings.MaxBytes)
	if err != nil {
		return nil, err
	}
	return &Sink{w: w}, nil
}

// SinkStream is where one stream of the output goes.
type SinkStream struct {
	sink  *Sink
	split *splitter
}

// Stream is a new stream of the log, Stdout or Stderr.
func (s *Sink) Stream(name string) *SinkStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	split := &splitter{stream: name}
	s.streams = append(s.streams, split)
	return &SinkStream{sink: s, split: split}
}

// Write puts output into the log, as far as its lines have ended. It takes all
// of it, always: what cannot be written is counted, and said in the log.
func (s *SinkStream) Write(p []byte) (int, error) {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.split.feed(time.Now(), p, s.sink.w.add)
	s.sink.w.commit()
	return len(p), nil
}

// Close ends the log, with the lines that have no end.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, split := range s.streams {
		split.flush(time.Now(), s.w.add)
	}
	s.w.commit()
	if err := s.w.close(); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}
