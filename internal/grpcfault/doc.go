// Package grpcfault is a gRPC proxy between unix sockets that fails on demand,
// for tests of what a client does when its server fails.
//
//	p, err := grpcfault.Listen("/tmp/x/proxy.sock", "/run/x/containerd.sock")
//	defer p.Close()
//	p.Plan(func(c grpcfault.Call) grpcfault.Fault {
//		if c == (grpcfault.Call{Method: "Tasks/Create", N: 1}) {
//			return grpcfault.RefuseAfter
//		}
//		return grpcfault.None
//	})
//
// It passes on frames, unary and streamed, without knowing what is in them, so
// it goes with any service. Every call is counted by its method, and the plan
// says what happens to it; a plan may do something itself, such as kill the
// server.
//
// A Proxy is safe for concurrent use.
package grpcfault
