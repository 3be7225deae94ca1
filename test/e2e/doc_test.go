// Package e2e_test rides with real processes: the built placer and workers,
// real NATS, a real containerd, and the stock nats command line as the client.
// Messages are written and read here by their names in the contract alone, as
// a stranger's client would.
//
// Run it with "make test-e2e". A test that finds a part missing is left out
// with the reason, and fails in CI. When a test fails, the logs of its
// processes are printed; nothing runs on after it.
package e2e_test
