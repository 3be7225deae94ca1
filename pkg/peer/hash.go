package peer

// Hash is a hash of a name that is the same in every process, so that every
// placer draws alike: FNV-1a, finished by Mix.
func Hash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return Mix(h)
}

// Mix is splitmix64's finaliser: it makes every bit of its result depend on
// every bit of x.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
