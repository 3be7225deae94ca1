package boltjournal

import (
	"errors"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// errClosed answers writes to a journal that is closed.
var errClosed = errors.New("the journal is closed")

// committer runs writes in transactions, as many in one as have come while the
// last one was being synced. bbolt's own Batch waits for a timer to gather
// them, which a write that is alone would pay for.
type committer struct {
	db   *bolt.DB
	in   chan *write
	quit chan struct{}
	done chan struct{}
	once sync.Once
}

type write struct {
	fn     func(*bolt.Tx) error
	result chan error
}

// most is how many writes share a transaction.
const most = 256

func newCommitter(db *bolt.DB) *committer {
	c := &committer{db: db, in: make(chan *write, most), quit: make(chan struct{}), done: make(chan struct{})}
	go c.loop()
	return c
}

// do runs fn in a transaction and returns once that is on the disk. fn may run
// twice, if another write of its transaction fails.
func (c *committer) do(fn func(*bolt.Tx) error) error {
	w := &write{fn: fn, result: make(chan error, 1)}
	select {
	case c.in <- w:
	case <-c.quit:
		return errClosed
	}
	select {
	case err := <-w.result:
		return err
	case <-c.done:
		// The loop has ended; it may have answered just before.
		select {
		case err := <-w.result:
			return err
		default:
			return errClosed
		}
	}
}

func (c *committer) loop() {
	defer close(c.done)
	for {
		select {
		case w := <-c.in:
			c.run(c.gather(w))
		case <-c.quit:
			for {
				select {
				case w := <-c.in:
					c.run(c.gather(w))
				default:
					return
				}
			}
		}
	}
}

// gather is w and the writes that wait behind it.
func (c *committer) gather(w *write) []*write {
	batch := []*write{w}
	for len(batch) < most {
		select {
		case w := <-c.in:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// run commits a batch in one transaction; if one of its writes fails, each runs
// in a transaction of its own, so that a bad one spoils no other.
func (c *committer) run(batch []*write) {
	err := c.db.Update(func(tx *bolt.Tx) error {
		for _, w := range batch {
			if err := w.fn(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || len(batch) == 1 {
		for _, w := range batch {
			w.result <- err
		}
		return
	}
	for _, w := range batch {
		w.result <- c.db.Update(w.fn)
	}
}

func (c *committer) close() {
	c.once.Do(func() { close(c.quit) })
	<-c.done
}
