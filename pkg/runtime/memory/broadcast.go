package memory

// broadcast tells everyone who waits that something has changed. It is guarded
// by the lock of what it tells of.
type broadcast struct{ waiting chan struct{} }

// next is closed at the next change.
func (b *broadcast) next() <-chan struct{} {
	if b.waiting == nil {
		b.waiting = make(chan struct{})
	}
	return b.waiting
}

func (b *broadcast) changed() {
	if b.waiting != nil {
		close(b.waiting)
		b.waiting = nil
	}
}
