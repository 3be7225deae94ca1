package membus

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// stream is a log of messages with limits. The server's lock guards it.
type stream struct {
	server   *Server
	cfg      bus.Stream
	replicas int
	subjects []pattern

	log       []*stored            // by sequence; removed ones stay until sweep
	live      int                  // those in log that are not removed
	bySubject map[string][]*stored // live ones, oldest first
	last      uint64               // the highest sequence ever given
	bytes     int64
	ids       recent
	consumers map[string]*consumer
	watchers  map[*watcher]struct{}
}

// stored is a message in a stream.
type stored struct {
	bus.Stored
	size int64
	gone bool
}

// overhead is what a message takes on disk beside its subject, headers and data.
const overhead = 30

func newStream(server *Server, cfg bus.Stream, replicas int) *stream {
	st := &stream{
		server: server, cfg: cfg, replicas: replicas,
		bySubject: map[string][]*stored{}, ids: newRecent(duplicateWindow),
		consumers: map[string]*consumer{}, watchers: map[*watcher]struct{}{},
	}
	st.cfg.Subjects = slices.Clone(cfg.Subjects)
	for _, s := range cfg.Subjects {
		st.subjects = append(st.subjects, newPattern(s))
	}
	return st
}

func (st *stream) holds(subject string) bool {
	return slices.ContainsFunc(st.subjects, func(p pattern) bool { return p.matches(subject) })
}

// store appends a message, unless its id was seen a moment ago: then it returns
// the sequence of the one that was. The message belongs to the stream.
func (st *stream) store(m bus.Message) (uint64, error) {
	now := time.Now()
	st.expire(now)
	id := m.Header[messages.HeaderMsgID]
	if seq, ok := st.ids.find(id, now); ok {
		return seq, nil
	}
	if err := st.expected(m); err != nil {
		return 0, err
	}
	bytes := int64(size(m) + len(m.Subject) + overhead)
	if err := st.room(m.Subject, bytes); err != nil {
		return 0, err
	}
	m.Reply = ""
	st.last++
	st.append(&stored{Stored: bus.Stored{Message: m, Sequence: st.last, At: now}, size: bytes})
	st.ids.add(id, st.last, now)
	return st.last, nil
}

func (st *stream) append(s *stored) {
	st.log = append(st.log, s)
	st.live++
	st.bytes += s.size
	st.bySubject[s.Subject] = append(st.bySubject[s.Subject], s)
	if n := st.cfg.MaxPerSubject; n > 0 && int64(len(st.bySubject[s.Subject])) > n {
		st.remove(st.bySubject[s.Subject][0])
	}
	for st.bytes > st.cfg.MaxBytes {
		st.remove(st.first())
	}
	for w := range st.watchers {
		w.changed(bus.Change{Entry: w.entry(s)})
	}
	for _, c := range st.consumers {
		c.dispatch()
	}
}

// expected is the compare of a compare-and-set.
func (st *stream) expected(m bus.Message) error {
	text, ok := m.Header[messages.HeaderExpectSeq]
	if !ok {
		return nil
	}
	want, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("header %s: %q is not a sequence", messages.HeaderExpectSeq, text)
	}
	if is := st.lastOn(m.Subject); is != want {
		return fmt.Errorf("expected %d: %w", want, &bus.ConflictError{Subject: m.Subject, Last: is})
	}
	return nil
}

// lastOn is the sequence of the newest message on a subject, or 0.
func (st *stream) lastOn(subject string) uint64 {
	on := st.bySubject[subject]
	if len(on) == 0 {
		return 0
	}
	return on[len(on)-1].Sequence
}

// room refuses a message that finds the stream full. One that takes the place of
// another on its subject, and is no larger, always finds room.
func (st *stream) room(subject string, bytes int64) error {
	if bytes > st.cfg.MaxBytes {
		return fmt.Errorf("%w: %d bytes, the stream %s holds %d", bus.ErrFull, bytes, st.cfg.Name, st.cfg.MaxBytes)
	}
	if !st.cfg.DiscardNew || st.bytes+bytes <= st.cfg.MaxBytes {
		return nil
	}
	on := st.bySubject[subject]
	if n := st.cfg.MaxPerSubject; n > 0 && int64(len(on)) >= n && on[0].size >= bytes {
		return nil
	}
	return fmt.Errorf("%w: %s holds %d of %d bytes", bus.ErrFull, st.cfg.Name, st.bytes, st.cfg.MaxBytes)
}

// remove takes a message out; that it was there costs a place in log for a while.
func (st *stream) remove(s *stored) {
	if s.gone {
		return
	}
	s.gone = true
	st.live--
	st.bytes -= s.size
	on := st.bySubject[s.Subject]
	if i := slices.Index(on, s); i >= 0 {
		on = slices.Delete(on, i, i+1)
	}
	if len(on) == 0 {
		delete(st.bySubject, s.Subject)
	} else {
		st.bySubject[s.Subject] = on
	}
	if len(st.log) > 64 && st.live < len(st.log)/2 {
		st.log = slices.DeleteFunc(st.log, func(s *stored) bool { return s.gone })
	}
}

// first is the oldest message there is, or nil.
func (st *stream) first() *stored { return st.from(0, nil) }

// from is the first live message at or above a sequence that ok, if not nil,
// agrees to.
func (st *stream) from(seq uint64, ok func(*stored) bool) *stored {
	at := sort.Search(len(st.log), func(i int) bool { return st.log[i].Sequence >= seq })
	for _, s := range st.log[at:] {
		if !s.gone && (ok == nil || ok(s)) {
			return s
		}
	}
	return nil
}

// expire removes what is older than the stream keeps.
func (st *stream) expire(now time.Time) {
	if st.cfg.MaxAge == 0 {
		return
	}
	for s := st.first(); s != nil && now.Sub(s.At) >= st.cfg.MaxAge; s = st.first() {
		st.remove(s)
	}
}

var errNoStream = errors.New("no stream holds the subject")
