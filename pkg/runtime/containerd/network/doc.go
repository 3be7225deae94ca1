// Package network connects a node's containers: to a bridge of the node's own,
// to the machine's network, to that of another container, or to nothing.
//
// Everything that goes with a reboot is below Config.RunDir, in memory:
//
//	containers/<id>/netns        the network namespace, pinned
//	containers/<id>/hosts ...    the files that a container finds in its /etc
//	containers/<id>/endpoint     its address and published ports (JSON)
//	cni/, leases/                what CNI and its plugin host-local remember
//
// Only the subnet outlives it, in Config.StateDir. The host ports that all
// workers of a machine have published are in one directory, PortsDir.
//
// A container's network is made when it is started and taken away when it has
// ended. The namespace is the first thing that is made and the last that goes,
// so that a process that is killed at any moment leaves something to find:
// Connect and Disconnect may be called again, and Sweep finds the rest.
//
// On Windows it is HNS, the system's own service, that keeps networks and
// endpoints, and what is asked of it is in hns.go, as values. Only the GUIDs of
// namespaces are kept, in Config.StateDir: HNS gives those no names.
//
// A Networks may be used from several goroutines, for one container from one at
// a time, and by one process.
package network
