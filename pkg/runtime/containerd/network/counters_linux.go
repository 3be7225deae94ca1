package network

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Counters are the bytes that a process's network interfaces, but for the
// loopback, have received and sent.
func Counters(pid int) (received, sent uint64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("network: %w", err)
	}
	received, sent = count(string(data))
	return received, sent, nil
}

// count reads /proc/net/dev: two lines of head, then a line for each interface.
func count(table string) (received, sent uint64) {
	const rxBytes, txBytes = 0, 8 // of the columns after the name
	for line := range strings.Lines(table) {
		name, columns, ok := strings.Cut(line, ":")
		fields := strings.Fields(columns)
		if !ok || strings.TrimSpace(name) == "lo" || len(fields) <= txBytes {
			continue
		}
		rx, _ := strconv.ParseUint(fields[rxBytes], 10, 64) // the kernel's own numbers
		tx, _ := strconv.ParseUint(fields[txBytes], 10, 64)
		received, sent = received+rx, sent+tx
	}
	return received, sent
}
