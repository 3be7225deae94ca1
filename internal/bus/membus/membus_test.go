package membus_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/bustest"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

func TestConformance(t *testing.T) {
	bustest.Run(t, func(*testing.T) func(*testing.T) bus.Bus {
		server := membus.NewServer()
		return func(t *testing.T) bus.Bus { return server.Connect(t.Name()) }
	})
}
