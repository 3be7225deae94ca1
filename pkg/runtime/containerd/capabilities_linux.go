package containerd

import (
	"sync"

	"github.com/containerd/containerd/v2/pkg/cap"
)

// knownCapabilities are those of the running kernel, or, where it does not say,
// all there are. They are read when first needed, since loggers are started
// from the same binary and should start fast.
var knownCapabilities = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	list, err := cap.Current()
	if err != nil || len(list) == 0 {
		list = cap.Known()
	}
	for _, name := range list {
		names[name] = true
	}
	return names
})
