package natsserver

import (
	"context"
	"testing"
	"time"
)

// TestSync looks at what the running server makes of the setting. Without one,
// every write is on disk before it is acknowledged.
func TestSync(t *testing.T) {
	for _, test := range []struct {
		sync   string
		always bool
		every  time.Duration
	}{
		{sync: "", always: true},
		{sync: SyncAlways, always: true},
		{sync: "1s", every: time.Second},
		{sync: "2m", every: 2 * time.Minute},
	} {
		t.Run(test.sync, func(t *testing.T) {
			s, err := Start(Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Sync: test.sync})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Shutdown(context.Background()) }()
			is := s.nats.JetStreamConfig()
			if is.SyncAlways != test.always {
				t.Errorf("the server syncs always: %v, want %v", is.SyncAlways, test.always)
			}
			if !test.always && is.SyncInterval != test.every {
				t.Errorf("the server syncs every %v, want %v", is.SyncInterval, test.every)
			}
		})
	}
}
