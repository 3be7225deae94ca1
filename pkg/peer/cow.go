package peer

import "slices"

// cow is a slice that a table and its snapshots share. Every snapshot ends a
// generation of the table; who writes in a later generation than the slice was
// made in writes to a copy of its own.
type cow[T any] struct {
	items []T
	gen   uint64
}

// own is the slice, to write to in the generation gen.
func (c *cow[T]) own(gen uint64) []T {
	if c.gen != gen {
		c.items = slices.Clone(c.items)
		c.gen = gen
	}
	return c.items
}

// insert puts v at i.
func (c *cow[T]) insert(gen uint64, i int, v T) { c.items = slices.Insert(c.own(gen), i, v) }

// remove takes out what is at i.
func (c *cow[T]) remove(gen uint64, i int) { c.items = slices.Delete(c.own(gen), i, i+1) }
