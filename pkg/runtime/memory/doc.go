// Package memory is a complete Runtime that runs nothing but what it can run in
// memory, and says so. It is for demonstrations, simulations and tests.
//
// A Machine is the computer: its platforms, images, containers and running
// programs. A Runtime is a handle on it, as a worker holds one. When a worker
// is restarted its new Runtime over the same Machine finds every container as
// it is by then:
//
//	m, err := memory.NewMachine(memory.Config{
//		Platforms: []messages.Platform{{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}},
//		Images:    memory.StaticImages{"team/hello:1": {{Platform: windows, Cmd: []string{"echo", "hello"}}}},
//	})
//	defer m.Close()
//	rt := memory.New(m)
//
// What a container runs is taken from its spec and the image's own config by
// OCI's rules, and known by the base name of its first word (/bin/echo,
// C:\bin\echo.exe). These run, and take the time they are given:
//
//	true   false   sleep SECONDS   echo [-n] WORD …   exit [CODE]
//	sh -c 'any of these; joined; by semicolons'
//
// Everything else behaves like a program that runs until it is stopped, in
// silence. No program handles signals: what ends a process by default ends it.
//
// Nothing else is made up. There are no processes, files, addresses or
// figures: PID, Stats, Top, copies and what else needs them are NotImplemented,
// and so are PortMappings of a spec that asks for ports, Exec of an unknown
// program and terminals. Since nothing listens, a health check by http or tcp is
// answered for as long as the program runs; one by command runs one of the
// programs above. The rest of a spec (limits, mounts) is kept and shown, and has
// no effect; named volumes stay empty.
//
// Time is package time's, so in a testing/synctest bubble it is virtual. A
// Machine that is made in a bubble has to be closed in it. All types are safe
// for concurrent use.
package memory
