package containerd

import "sync"

// idSet holds ids, each as often as it was entered. The zero value is ready.
type idSet struct {
	mu sync.Mutex
	n  map[string]int
}

func (s *idSet) enter(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n = map[string]int{}
	}
	s.n[id]++
}

func (s *idSet) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n[id]--; s.n[id] <= 0 {
		delete(s.n, id)
	}
}

func (s *idSet) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n[id] > 0
}
