package checker

// goodRestarts are restarts of containers as they may be.
var goodRestarts = []goodHistory{
	{"restarted where it is", `
		0 submit a service restart=always
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		3 start a/1 n1 c1
		9 finish a/1 n1 running`},
	{"restarted as often as its policy says", `
		0 submit a restart=on_failure:2
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c1
		4 end n1 c1 137 own
		5 start a/1 n1 c1
		6 end n1 c1 3
		6 outcome a/1 n1 failed
		7 done a/1 n1 failed exit=3
		9 finish`},
	{"restarted, then begun anew: its starts are those of containers", `
		0 submit a restart=on_failure:1 retry_exit max=2
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c1
		4 end n1 c1 1
		4 outcome a/1 n1 failed
		5 start a/2 n2 c2
		6 end n2 c2 1
		7 start a/2 n2 c2
		8 end n2 c2 0
		8 outcome a/2 n2 completed
		9 done a/2 n2 completed
		9 finish`},
	{"about to be restarted at the end", `
		0 submit a service restart=on_failure
		0 ack a
		1 start a/1 n1 c1
		8 end n1 c1 1
		9 finish a/1 n1 running`},
	{"restarted since somebody asked", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 stop a
		3 end n1 c1 143
		3 start a/1 n1 c1
		9 finish a/1 n1 running`},
	{"never healthy, and given up", `
		0 submit a service health
		0 ack a
		1 start a/1 n1 c1
		20 end n1 c1 143
		20 outcome a/1 n1 failed unavailable
		21 start a/2 n2 c2
		90 finish a/2 n2 running`},
}

// brokenRestarts are those that no policy allows.
var brokenRestarts = []brokenHistory{
	{"restarted without a policy", "3", "started 2 times", `
		0 submit a
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c1
		4 end n1 c1 0
		4 outcome a/1 n1 completed
		5 done a/1 n1 completed
		9 finish`},
	{"restarted after a success", "3", "started 2 times", `
		0 submit a restart=on_failure
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 0
		3 start a/1 n1 c1
		4 end n1 c1 0
		4 outcome a/1 n1 completed
		5 done a/1 n1 completed
		9 finish`},
	{"restarted once too often", "3", "started 3 times", `
		0 submit a restart=on_failure:1
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c1
		4 end n1 c1 1
		5 start a/1 n1 c1
		6 end n1 c1 1
		6 outcome a/1 n1 failed
		7 done a/1 n1 failed exit=1
		9 finish`},
	{"restarted more often than somebody asked", "3", "started 3 times", `
		0 submit a service
		0 ack a
		1 start a/1 n1 c1
		2 stop a
		3 end n1 c1 143
		3 start a/1 n1 c1
		4 end n1 c1 1
		5 start a/1 n1 c1
		9 finish a/1 n1 running`},
	{"a second container is no restart", "3", "started 2 times", `
		0 submit a restart=always
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c2
		4 end n1 c2 0
		4 outcome a/1 n1 completed
		5 done a/1 n1 completed
		9 finish`},
	{"restarted, and begun anew too often", "3", "its limit is 1", `
		0 submit a restart=on_failure:1 retry_exit max=1
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c1
		4 end n1 c1 1
		4 outcome a/1 n1 failed
		5 start a/2 n2 c2
		8 end n2 c2 0
		8 outcome a/2 n2 completed
		9 done a/2 n2 completed
		9 finish`},
	{"it may be restarted, and nobody did", "1", "no such container does", `
		0 submit a service restart=on_failure:1
		0 ack a
		1 start a/1 n1 c1
		2 end n1 c1 1
		3 start a/1 n1 c1
		4 end n1 c1 1
		5 outcome a/1 n1 failed
		9 finish a/1 n1 running`},
}
