package network

// portsBeside is a range of host ports beside the one from which the kernel gives
// ports away. A published port is a rule of the packet filter and binds nothing:
// the kernel would give it to the next program that asks for any, which would
// then not be reached. Where the kernel gives away nearly all there are, so it is.
func portsBeside(low, high int) (first, last int) {
	const lowest, highest, enough = 20000, 65535, 1000
	switch {
	case low-lowest >= enough:
		return lowest, min(low-1, 32767)
	case highest-high >= enough:
		return high + 1, highest
	}
	return lowest, highest
}
