package membus_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus/bustest"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

func TestConformance(t *testing.T) {
	bustest.Run(t, func(*testing.T) func(*testing.T) bustest.Bus {
		server := membus.NewServer()
		return func(t *testing.T) bustest.Bus { return server.Connect(t.Name()) }
	})
}
