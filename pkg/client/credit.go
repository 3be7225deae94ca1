package client

import (
	"context"
	"time"
)

// creditWindow is how many bytes of output may be on their way to a reader of an
// interactive exec.
const creditWindow = 256 << 10

// creditBeat is how often a worker is told that its reader is still there.
const creditBeat = 5 * time.Second

// credit lets a worker send as much as has been written, and no more.
type credit struct {
	give func(bytes int64) error
	owed int64
}

// taken says that so many bytes have been written. They are given back in halves
// of the window, not one message a frame.
func (c *credit) taken(n int) error {
	if c.owed += int64(n); c.owed < creditWindow/2 {
		return nil
	}
	bytes := c.owed
	c.owed = 0
	return c.give(bytes)
}

// beat tells the worker every now and then that somebody is there.
func (c *credit) beat(ctx context.Context) {
	tick := time.NewTicker(creditBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if c.give(0) != nil {
				return
			}
		}
	}
}
