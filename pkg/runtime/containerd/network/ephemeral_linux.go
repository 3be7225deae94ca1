package network

import (
	"fmt"
	"os"
)

// ephemeralPorts is the range from which the kernel gives a port to whoever asks
// for any.
func ephemeralPorts() (low, high int) {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		if n, _ := fmt.Sscan(string(data), &low, &high); n == 2 {
			return low, high
		}
	}
	return 32768, 60999 // Linux's own default
}
