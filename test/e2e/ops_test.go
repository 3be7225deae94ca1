package e2e_test

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// opCase is one thing that is asked of a container or a node, and what the last
// word on it says.
type opCase struct {
	op   messages.Op
	more string // of the job, behind its id and op
	want map[string]string
}

// opCases ask for every op that the contract has, in an order in which one gives
// the next something to do.
func (f *fleet) opCases() []opCase {
	f.t.Helper()
	image := f.linuxImage("handle-term")
	other := f.push("team/other:1", f.image(toybox.Linux(runtime.GOARCH), "true"))
	done := func(more map[string]string) map[string]string {
		want := map[string]string{"status": "completed", "node": linuxNode, "result.started_at": "~T", "result.finished_at": "~T"}
		for k, v := range more {
			want[k] = v
		}
		return want
	}
	failed := func(code string) map[string]string { return map[string]string{"status": "failed", "error.code": code} }
	spec := fmt.Sprintf(`,"spec":{"image":%q,"args":["handle-term"],"mounts":[{"type":"volume","source":"kept","target":"/kept"}]}`, image)
	copied := strings.Replace(image, "team/toybox:1", "team/kept:1", 1)
	on := `,"container":"made-rep-2"`
	return []opCase{
		{messages.OpRun, fmt.Sprintf(`,"spec":{"image":%q,"args":["exit","0"]}`, image), done(map[string]string{
			"result.container": "~-rep-0", "result.exit_code": "0", "result.exit_reason": "exited", "result.image_digest": "~sha256:", "result.runtime": "primary",
		})},
		{messages.OpCreate, `,"service":"made","replica":2` + spec, done(map[string]string{"result.container": "made-rep-2", "result.state": "pending"})},
		{messages.OpStart, `,"service":"made","replica":2`, done(map[string]string{"result.container": "made-rep-2", "result.state": "running"})},
		{messages.OpStart, on, failed("failed_precondition")}, // it runs
		{messages.OpExec, on + `,"args":{"cmd":["sh","-c","echo out; printerr err; exit 3"]}`, done(map[string]string{
			"result.exit_code": "3", "result.stdout": "out\n", "result.stderr": "err\n", "result.truncated": "",
		})},
		{messages.OpExec, on + `,"args":{"cmd":["flood","20000"]}`, done(map[string]string{"result.exit_code": "0", "result.truncated": "true", "result.stdout": "~line 1\nline 2\n"})},
		{messages.OpExec, on + `,"args":{"cmd":["sleep","3600"],"timeout":"300ms"}`, failed("deadline_exceeded")},
		{messages.OpSyncVolumes, on + fmt.Sprintf(`,"args":{"copy":%q}`, copied), done(map[string]string{
			"result.volumes.0.name": "kept", "result.volumes.0.bytes": "~", "result.volumes.1": "",
		})},
		{messages.OpRename, on + `,"args":{"new_name":"front"}`, done(map[string]string{"result.container": "made-rep-2"})},
		{messages.OpRestart, `,"container":"front","args":{"timeout":"5s"}`, done(map[string]string{
			"result.container": "made-rep-2", "result.state": "running", "result.changed": "true",
		})},
		{messages.OpRemove, on, failed("failed_precondition")}, // it runs
		{messages.OpStop, `,"container":"front"`, done(map[string]string{
			"result.container": "made-rep-2", "result.state": "exited", "result.exit_code": "0", "result.changed": "true",
		})},
		{messages.OpStop, on, done(map[string]string{"result.changed": "false"})},
		{messages.OpKill, on, failed("failed_precondition")}, // it does not run
		{messages.OpStart, on, done(map[string]string{"result.state": "running"})},
		{messages.OpKill, on + `,"args":{"signal":"TERM"}`, done(map[string]string{"result.container": "made-rep-2"})},
		{messages.OpRemove, on + `,"args":{"force":true,"volumes":true}`, done(map[string]string{"result.container": "made-rep-2", "result.changed": "true"})},
		{messages.OpRemove, on, done(map[string]string{"result.changed": "false"})},
		{messages.OpStop, on, failed("not_found")},
		{messages.OpPull, fmt.Sprintf(`,"args":{"image":%q,"policy":"always"}`, other), done(map[string]string{"result.image_digest": "~sha256:", "result.size": "~"})},
		{messages.OpTag, fmt.Sprintf(`,"args":{"source":%q,"target":"registry.test/mine:1"}`, other), done(nil)},
		{messages.OpRemoveImage, fmt.Sprintf(`,"args":{"image":%q}`, other), done(map[string]string{"result.deleted.0": other})},
		{messages.OpPrune, ``, done(map[string]string{"result.deleted": "~registry.test/mine:1"})},
	}
}

// TestEveryOp asks for every op that the contract has by the stock command line:
// as a direct command that waits, and through intake, where the placer has to
// find the container's node.
func TestEveryOp(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.pretender("mem-1", "linux/arm64")
	t.Run("directly", func(t *testing.T) { f.everyOpDirectly(t) })
	t.Run("through intake", func(t *testing.T) { f.everyOpThroughIntake(t) })
	t.Run("in order", func(t *testing.T) { f.opsInOrder(t) })
}

func (f *fleet) everyOpThroughIntake(t *testing.T) {
	for i, c := range f.opCases() {
		id, target, node := fmt.Sprintf("intake-%d", i), "", linuxNode
		if !c.op.OnContainer() {
			target = `,"target":"linux-1"`
		}
		want := map[string]string{}
		for k, v := range c.want {
			want["outcome."+k] = v
		}
		if c.op == messages.OpRemove && c.want["result.changed"] == "false" {
			node, want["outcome.node"] = "~", "~" // any may say that there is none
		}
		want["state"], want["node"] = c.want["status"], node
		if c.want["error.code"] == "not_found" {
			want["node"], want["outcome.status"] = "", "rejected" // by the placer: there was no node to ask
		}
		f.nats.publish("shunt.job."+id, fmt.Sprintf(`{"v":1,"id":%q,"op":%q%s%s}`, id, c.op, c.more, target))
		expect(t, fmt.Sprintf("%s %s", c.op, c.more), f.nats.done(id), want)
	}
}

// opsInOrder submits what is to be done with a container at once.
func (f *fleet) opsInOrder(t *testing.T) {
	f.nats.publish("shunt.job.queue", fmt.Sprintf(
		`{"v":1,"id":"queue","op":"run","kind":"service","spec":{"image":%q,"args":["handle-term"]},"target":"linux-1","retain":"1m"}`, f.linuxImage("handle-term")))
	f.nats.publish("shunt.job.z", `{"v":1,"id":"z","op":"exec","container":"queue-rep-0","args":{"cmd":["sleep","2"]}}`)
	f.nats.publish("shunt.job.y", `{"v":1,"id":"y","op":"exec","container":"queue-rep-0","args":{"cmd":["true"]}}`)
	f.nats.publish("shunt.job.x", `{"v":1,"id":"x","op":"stop","container":"queue-rep-0"}`)
	ended := ""
	for _, id := range []string{"z", "y", "x"} {
		rec := f.nats.done(id)
		expect(t, "the last word on "+id, rec, map[string]string{"state": "completed", "node": linuxNode})
		began := rec.at("outcome.result.started_at")
		if instant(t, began).Before(instant(t, cmp.Or(ended, began))) {
			t.Errorf("%s began at %s, and what came before it ended at %s", id, began, ended)
		}
		ended = rec.at("outcome.result.finished_at")
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (f *fleet) everyOpDirectly(t *testing.T) {
	asked := map[messages.Op]bool{messages.OpRevoke: true} // which is not for strangers: see below
	for i, c := range f.opCases() {
		id := fmt.Sprintf("direct-%d", i)
		target := ""
		if !c.op.OnContainer() {
			target = `,"target":"linux-1"`
		}
		r := f.command(linuxNode, fmt.Sprintf(`{"v":1,"id":%q,"op":%q%s%s}`, id, c.op, c.more, target))
		expect(t, fmt.Sprintf("%s %s", c.op, c.more), r.document, c.want)
		asked[c.op] = true
	}
	for _, op := range messages.Ops() {
		if !asked[op] {
			t.Errorf("nothing here asks for the op %s", op)
		}
	}
	f.command(linuxNode, `{"v":1,"id":"hostile","op":"revoke","container":"made-rep-2","args":{"attempt":7}}`).
		refused(t, "a revoke of no placer", "403", "permission_denied: op: ")
}
