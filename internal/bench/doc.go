// Package bench measures what shunt adds to the work it has done. It has no code
// of its own, only benchmarks over the real parts; docs/performance.md says how
// they are run and what they gave.
//
// BenchmarkRun puts a `run` job through the built placer and worker, side by
// side with the bare containerd client that runs the same image on the same
// containerd. What is compared takes turns in one run, in blocks of a few jobs,
// so that whatever else the machine does hits all of it alike: the ratios are
// worth more than the times. BenchmarkPhases takes single jobs apart, with
// nothing else under way.
package bench
