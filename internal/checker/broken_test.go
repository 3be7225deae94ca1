package checker

import (
	"slices"
	"strings"
	"testing"
	"time"
)

type brokenHistory struct{ name, rules, says, history string }

// Each of these histories breaks a rule. They are as short as they can be, so
// that only that rule can be what is found; where one wrong breaks several, all
// are named.
var broken = []brokenHistory{
	{"a job is lost", "1", "no last word", `
		0 submit a
		0 ack a
		9 finish`},
	{"a job is lost once it has started", "1", "no last word", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		9 finish`},
	{"two last words", "1", "contradict", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 done a/1 n1 completed
		4 done a/1 n1 cancelled
		9 finish`},
	{"a life more than was asked for", "1", "retried 0 times", `
		0 submit a
		0 ack a
		1 done a/1 n1 dead
		2 done a/1 n1 dead retries=1
		9 finish`},
	{"it waits and does not say for what", "1", "without a reason", `
		0 submit a
		0 ack a
		9 finish a/0 - pending`},
	{"an ended record without a last word", "1", "no last word was said", `
		0 submit a
		0 ack a
		9 finish a/1 n1 dead`},
	{"said to run, and does not", "1", "no such container", `
		0 submit a service
		0 ack a
		9 finish a/1 n1 running`},
	{"one cancel ends two lives", "1", "2 lives of it were cancelled, and it was asked to end 1 times", `
		0 submit a
		0 ack a
		1 cancel a
		2 done a/1 n1 cancelled
		3 retry a
		4 done a/2 n1 cancelled retries=1
		9 finish`},
	{"said to be done, and never ran", "1", "no container", `
		0 submit a
		0 ack a
		3 done a/1 n1 completed
		9 finish`},
	{"said to be done, and failed", "1", "no container", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 3
		2 outcome a/1 n1 completed
		3 done a/1 n1 completed
		9 finish`},
	{"another exit code", "1", "no container", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 3
		2 outcome a/1 n1 failed
		3 done a/1 n1 failed exit=4
		9 finish`},
	{"an exec that was never carried out", "1", "no exec", `
		0 submit x op=exec
		0 ack x
		3 done x/1 n1 completed
		9 finish`},

	{"two at once without a reason", "2", "neither away nor draining", `
		0 submit a idempotent
		0 ack a
		1 start a/1 n1 c1
		2 start a/2 n2 c2
		3 end n1 c1 0
		3 outcome a/1 n1 completed
		4 end n2 c2 0
		4 outcome a/2 n2 completed
		5 done a/2 n2 completed
		9 finish`},
	{"two at once on one node", "2", "on one node", `
		0 submit a idempotent
		0 ack a
		1 start a/1 n1 c1
		1 node_away n1
		2 node_back n1
		2 start a/2 n1 c2
		3 end n1 c1 0
		3 outcome a/1 n1 completed
		4 end n1 c2 0
		4 outcome a/2 n1 completed
		5 done a/2 n1 completed
		9 finish`},
	{"two at once by on_partition: stop", "2", "on_partition: stop", `
		0 submit a service partition_stop
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		20.1 end n1 c1 143
		30 node_back n1
		31 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"a fenced one runs on", "2", "ran on for 40s", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		30 node_back n1
		70 end n1 c1 143
		70 outcome a/1 n1 revoked
		90 finish a/2 n2 running`},
	{"a fenced one is never stopped", "2", "still runs", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		20 start a/2 n2 c2
		30 node_back n1
		31 finish a/2 n2 running`},
	{"two jobs under one name", "2", "under the name web-rep-0", `
		0 submit a service
		0 ack a
		0 submit b service
		0 ack b
		1 start a/1 n1 c1
		1 start b/1 n2 c2
		9 finish a/1 n1 running name=web
		9 finish b/1 n2 running name=web replaces=x`},
	{"one runs after the last word", "2", "last word was said", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 cancel a
		3 done a/1 n1 cancelled
		50 end n1 c1 143
		50 outcome a/1 n1 revoked
		90 finish`},
	{"one at the end that is not the record's", "2", "no record says", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		9 finish a/2 - pending waiting`},
	{"a drain of a task", "2", "neither away nor draining", `
		0 submit a idempotent
		0 ack a
		1 start a/1 n1 c1
		2 drain_asked n1
		3 start a/2 n2 c2
		4 end n1 c1 0
		4 outcome a/1 n1 completed
		5 end n2 c2 0
		5 outcome a/2 n2 completed
		5 done a/2 n2 completed
		9 finish`},

	{"two containers of one attempt", "3", "attempt 1 was started 2 times", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		3 start a/1 n1 c2
		9 finish a/1 n1 running`},
	{"one attempt on two nodes", "3", "attempt 1 was started 2 times", `
		0 submit a idempotent
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 start a/1 n2 c2
		4 end n2 c2 0
		4 outcome a/1 n2 completed
		5 done a/1 n1 completed
		9 finish`},
	{"a task that ran twice", "3", "may not be done twice", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 start a/2 n2 c2
		4 end n2 c2 0
		4 outcome a/2 n2 completed
		5 done a/2 n2 completed
		9 finish`},
	{"a node that was back took up what others had done", "3", "n1 was back, and started 2 tasks", `
		0 submit a
		0 ack a
		0 submit b
		0 ack b
		1 node_away n1
		12 start a/2 n2 c2
		13 end n2 c2 0
		13 outcome a/2 n2 completed
		14 start b/2 n2 c3
		15 end n2 c3 0
		15 outcome b/2 n2 completed
		20 node_back n1
		21 start a/1 n1 c1
		21 start b/1 n1 c4
		22 end n1 c1 0
		22 end n1 c4 0
		22 outcome a/1 n1 completed
		22 outcome b/1 n1 completed
		23 done a/2 n2 completed
		23 done b/2 n2 completed
		90 finish`},
	{"a retry of an exit 0", "3", "may not be done twice", `
		0 submit a retry_exit
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 start a/2 n1 c2
		4 end n1 c2 0
		4 outcome a/2 n1 completed
		5 done a/2 n1 completed
		9 finish`},
	{"an exec that ran twice", "3", "carried out 2 times", `
		0 submit x op=exec
		0 ack x
		1 exec x n1 c1
		2 exec x n1 c1
		3 done x/1 n1 completed
		9 finish`},
	{"more starts than allowed", "3", "its limit is 1", `
		0 submit a idempotent max=1
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		2 outcome a/1 n1 failed
		3 start a/2 n1 c2
		4 end n1 c2 1
		4 outcome a/2 n1 failed
		5 done a/2 n1 failed exit=1
		9 finish`},
	{"started after the last word", "3", "after its last word", `
		0 submit a reschedule
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 completed
		3 done a/1 n1 completed
		4 start a/2 n1 c2
		5 end n1 c2 0
		5 outcome a/2 n1 completed
		9 finish`},
	{"started after its revoke", "3", "had confirmed its revoke", `
		0 submit a
		0 ack a
		1 cancel a
		2 outcome a/1 n1 revoked
		3 start a/1 n1 c1
		4 end n1 c1 143
		5 done a/1 n1 cancelled
		9 finish`},

	{"killed while the bus was away", "4", "while the bus was away", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 bus_away
		3 end n1 c1 137
		4 bus_back
		5 outcome a/1 n1 failed
		6 done a/1 n1 failed exit=137
		9 finish`},
	{"an outcome that never came", "4", "never said so", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 bus_away
		3 end n1 c1 0
		4 bus_back
		6 done a/1 n1 completed
		9 finish`},
	{"taken from a node for the bus's sake", "2 4", "taken from n1", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 bus_away
		20 bus_back
		21 start a/2 n2 c2
		22 end n1 c1 143 own
		22 outcome a/1 n1 failed
		90 finish a/2 n2 running`},
	{"called lost for the bus's sake", "4", "called lost", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 bus_away
		20 bus_back
		21 done a/1 n1 lost
		22 end n1 c1 0
		22 outcome a/1 n1 completed
		90 finish`},
	{"revoked without a reason", "4", "nobody had asked", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		2 outcome a/1 n1 revoked
		3 start a/2 n2 c2
		90 finish a/2 n2 running`},
	{"killed with the worker", "5", "nobody had asked", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 node_away n1
		2 end n1 c1 137
		3 node_back n1
		5 outcome a/1 n1 failed
		6 done a/1 n1 failed exit=137
		9 finish`},

	{"killed, and nobody gave it up", "5", "nobody had asked", `
		0 submit a service health
		0 ack a
		1 start a/1 n1 c1
		20 end n1 c1 143
		20 outcome a/1 n1 failed
		21 done a/1 n1 failed
		90 finish`},

	{"cut short", "0", "no event of kind", `
		0 submit a`},
	{"an end without a start", "0", "never started", `
		0 end n1 c1 0
		1 finish`},
	{"started while it runs", "0", "while it runs", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 start a/1 n1 c1
		9 finish a/1 n1 running`},
	{"something after the end", "0", "after the end", `
		0 finish
		1 submit a`},
}

func TestBrokenHistories(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(broken, brokenRestarts) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := Check(script(t, test.history), Config{Grace: 30 * time.Second})
			if got := rulesOf(v); got != test.rules {
				t.Errorf("it breaks the rules %q, want %q\n%s", got, test.rules, v)
			}
			if text := v.String(); !strings.Contains(text, test.says) || v.OK() {
				t.Errorf("the verdict does not say %q:\n%s", test.says, text)
			}
		})
	}
}
