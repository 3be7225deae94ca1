package e2e_test

import (
	"fmt"
	"strconv"
	"testing"
)

// TestLease cuts a node off in both ways: its worker is killed, and its bus. What
// asks to be stopped then is stopped, by the guard and by the worker; what does
// not runs on.
func TestLease(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux()
	image := f.linuxImage()
	keeps := f.beginWith("keeps", image, `{"on_node_loss":"wait"}`)

	stops := f.beginWith("stops", image, `{"on_partition":"stop"}`)
	worker.kill()
	awaitExit(t, stops)
	mustRun(t, keeps)
	f.linux()
	f.wasCutOff("stops")

	stops = f.beginWith("again", image, `{"on_partition":"stop","on_node_loss":"wait"}`)
	f.placer.kill() // and NATS with it
	awaitExit(t, stops)
	mustRun(t, keeps)
	f.startPlacer(f.address())
	f.awaitNode(linuxNode, "alive")
	f.wasCutOff("again")
	mustRun(t, keeps)
}

// beginWith runs a job with a policy on the Linux node, and gives its
// container's process. It asks for no grace, and ends by SIGTERM.
func (f *fleet) beginWith(job, image, policy string) (pid int) {
	f.t.Helper()
	f.nats.publish("shunt.job."+job, fmt.Sprintf(
		`{"v":1,"id":%q,"op":"run","spec":{"image":%q,"args":["handle-term"]},"policy":%s,"retain":"1m"}`, job, image, policy))
	eventually(f.t, job+" runs", func() (bool, string) {
		state := f.nats.request("shunt.node.linux-1.state", `{"v":1,"container":"`+job+`-rep-0"}`)
		pid, _ = strconv.Atoi(state.at("pid"))
		return pid != 0 && state.at("state") == "running", state.message + state.String()
	})
	return pid
}

// wasCutOff waits until the worker says that of an attempt. A placer that had
// given the job up by then has revoked it.
func (f *fleet) wasCutOff(job string) {
	f.t.Helper()
	eventually(f.t, job+" has ended", func() (bool, string) {
		o := f.nats.request("shunt.node.linux-1.attempt", `{"v":1,"job":"`+job+`","attempt":1}`)
		return o.at("status") == "interrupted" || o.at("status") == "revoked", o.message + o.String()
	})
}
