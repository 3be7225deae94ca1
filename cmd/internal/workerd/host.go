package workerd

import (
	"fmt"
	"runtime"

	"github.com/shirou/gopsutil/v4/mem"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// maxPIDs is what a node hands out of process ids when nothing limits it: the
// kernel's own default for one machine.
const maxPIDs = 32768

// describeHost is the machine this process runs on, and the room it has.
func describeHost() (messages.Host, messages.Room, error) {
	memory, err := mem.VirtualMemory()
	if err != nil {
		return messages.Host{}, messages.Room{}, fmt.Errorf("find out how much memory this machine has: %w", err)
	}
	host := messages.Host{
		OS: messages.OS(runtime.GOOS), Arch: runtime.GOARCH, OSVersion: osVersion(),
		CPUs: runtime.NumCPU(), Memory: int64(memory.Total),
	}
	room := messages.Room{
		CPUMilli: int64(host.CPUs) * 1000, Memory: host.Memory, PIDs: maxPIDs,
	}
	return host, room, nil
}
