package peer

// NoSum is the sum of nothing.
const NoSum uint64 = 14695981039346656037

// Sum adds a text to a sum: FNV-1a, the same in every process, so that every
// placer draws alike. Texts that differ at their end have sums that are near to
// each other; Mix takes them apart.
func Sum(sum uint64, text string) uint64 {
	for i := range len(text) {
		sum = (sum ^ uint64(text[i])) * 1099511628211
	}
	return sum
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
