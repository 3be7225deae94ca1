package checker

import (
	"slices"
	"testing"
	"time"
)

type goodHistory struct{ name, history string }

// Each of these histories is as it should be, though it does not look so at
// first.
var good = []goodHistory{
	{"a plain task", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 done a/1 n1 completed
		9 finish`},
	{"one of two under a name takes it over", `
		0 submit a service
		0 ack a
		0 submit b service
		0 ack b
		1 start a/1 n1 c1
		1 start b/1 n2 c2
		9 finish a/1 n1 running name=web
		9 finish b/1 n2 running name=web replaces=a`},
	{"sent again, and answered again", `
		0 submit a
		0 ack a
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		2 outcome a/1 n1 completed
		3 done a/1 n1 completed
		4 submit a
		4 ack a
		5 done a/1 n1 completed
		9 finish`},
	{"never acknowledged, and never seen", `
		0 submit a
		9 finish`},
	{"never acknowledged, and done all the same", `
		0 submit a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 done a/1 n1 completed
		9 finish`},
	{"rejected", `
		0 submit a
		0 ack a
		1 outcome a/0 _placer rejected
		9 finish`},
	{"waits with a reason", `
		0 submit a
		0 ack a
		9 finish a/0 - pending no-node-has-disk=ssd`},
	{"started where it could not be told, and placed anew", `
		0 submit a
		0 ack a
		1 node_away n1
		2 start a/1 n1 c1
		3 end n1 c1 0
		14 start a/2 n2 c2
		15 end n2 c2 0
		15 outcome a/2 n2 completed
		15 done a/2 n2 completed
		20 node_back n1
		20 outcome a/1 n1 completed
		90 finish`},
	{"journalled and not answered, and started when the node was back", `
		0 submit a
		0 ack a
		1 node_away n1
		14 start a/2 n2 c2
		15 end n2 c2 0
		15 outcome a/2 n2 completed
		20 node_back n1
		20 start a/1 n1 c1
		21 end n1 c1 0
		21 outcome a/1 n1 completed
		22 done a/2 n2 completed
		90 finish`},
	{"given to two nodes, one after the other", `
		0 submit a to=n1
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		2 done a/1 n1 completed
		3 submit a to=n2
		3 start a/1 n2 c1
		4 end n2 c1 143
		4 outcome a/1 n2 revoked
		9 finish`},
	{"moved from a node that was away, and fenced", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		30 node_back n1
		40 end n1 c1 143
		40 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"fenced late, since the node came and went", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		30 node_back n1
		50 node_away n1
		60 node_back n1
		65 bus_away
		75 bus_back
		85 end n1 c1 143
		85 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"fenced late, since there was no placer", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		29 placer_away p1
		29 placer_away p2
		30 node_back n1
		80 placer_back p2
		85 end n1 c1 143
		85 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"a fenced one on a node that never came back", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		90 finish a/2 n2 running`},
	{"started by a node that did not know yet", `
		0 submit a idempotent
		0 ack a
		1 node_away n1
		12 start a/2 n2 c2
		13 end n2 c2 0
		13 outcome a/2 n2 completed
		14 done a/2 n2 completed
		20 node_back n1
		21 start a/1 n1 c1
		25 end n1 c1 143
		25 outcome a/1 n1 revoked
		90 finish`},
	{"stopped before it was started elsewhere", `
		0 submit a service partition_stop
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		9 end n1 c1 143
		20 start a/2 n2 c2
		30 node_back n1
		31 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"a drained service and its successor", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 drain_asked n1
		3 start a/2 n2 c2
		8 end n1 c1 143
		8 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"a successor that failed", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 drain_asked n1
		3 start a/2 n2 c2
		4 end n2 c2 1
		4 outcome a/2 n2 failed
		90 finish a/1 n1 running`},
	{"a successor at the end", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 drain_asked n1
		3 start a/2 n2 c2
		9 finish a/1 n1 running successor=n2/2`},
	{"given to two nodes", `
		0 submit a to=n1
		0 ack a
		0 submit a to=n2
		0 ack a
		1 start a/1 n1 c1
		1 start a/1 n2 c2
		5 end n2 c2 143
		5 outcome a/1 n2 revoked
		8 end n1 c1 0
		8 outcome a/1 n1 completed
		9 done a/1 n1 completed
		90 finish`},
	{"rescheduled, as it asked for", `
		0 submit a reschedule
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		3 end n1 c1 0
		12 start a/2 n2 c2
		13 end n2 c2 0
		13 outcome a/2 n2 completed
		14 done a/2 n2 completed
		20 node_back n1
		21 outcome a/1 n1 completed
		90 finish`},
	{"lost with its node, which did it all the same", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		12 done a/1 n1 lost
		13 end n1 c1 0
		20 node_back n1
		21 outcome a/1 n1 completed
		90 finish`},
	{"retried after a bad exit, as it asked for", `
		0 submit a retry_exit
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		2 outcome a/1 n1 failed
		4 start a/2 n1 c2
		5 end n1 c2 0
		5 outcome a/2 n1 completed
		6 done a/2 n1 completed
		9 finish`},
	{"retried by a person", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		2 outcome a/1 n1 failed
		3 done a/1 n1 failed exit=1
		4 retry a
		5 start a/2 n1 c2
		6 end n1 c2 0
		6 outcome a/2 n1 completed
		7 done a/2 n1 completed retries=1
		9 finish`},
	{"stopped by another job", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 stop a
		3 end n1 c1 143
		3 outcome a/1 n1 completed
		4 done a/1 n1 completed
		9 finish`},
	{"interrupted, and not repeated", `
		0 submit x op=exec
		0 ack x
		1 exec x n1 c1
		1 node_away n1
		3 node_back n1
		4 outcome x/1 n1 interrupted
		5 done x/1 n1 interrupted
		9 finish`},
	{"ended while the bus was away, and told later", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 bus_away
		3 end n1 c1 3
		60 bus_back
		61 outcome a/1 n1 failed
		62 done a/1 n1 failed exit=3
		90 finish`},
	{"out of memory", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		3 end n1 c1 137 own
		4 outcome a/1 n1 failed
		5 done a/1 n1 failed exit=137
		9 finish`},
	{"a machine that is gone", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		3 node_away n1
		3 end n1 c1 137 harness
		20 start a/2 n2 c2
		90 finish a/2 n2 running`},
	{"made, and started by hand", `
		0 submit a op=create
		0 ack a
		1 done a/1 n1 completed
		2 start a/1 n1 c1
		3 stop a
		4 end n1 c1 143
		5 start a/1 n1 c1
		6 end n1 c1 0
		9 finish`},
}

func TestGoodHistories(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(good, goodRestarts) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if v := Check(script(t, test.history), Config{Grace: 30 * time.Second, Placers: 2}); !v.OK() {
				t.Errorf("the verdict is\n%s", v)
			}
		})
	}
}
