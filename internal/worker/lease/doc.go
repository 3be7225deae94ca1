// Package lease is the arithmetic of a node's lease: until when the node may
// run the jobs that ask for `on_partition: stop`, when to renew, and when each
// container has to begin to stop. It is pure: time comes in as an argument, and
// renewals are sent by others.
//
// A worker holds the lease while the last acknowledged renewal is young enough.
// What counts is when that renewal was sent, which is before anybody can have
// seen it: a placer that has watched the lease stand still for its time-to-live
// has done so for longer than the worker believes.
//
//	sent                        stop (a container)       end            ttl
//	 |--- renew, renew again ------|--- grace ---|-- kill --|-- margin --|
//
// By end nothing of it runs any more. Times are read from a Clock that counts
// suspend: a machine that has slept through its lease finds out when it wakes.
//
// A renewal whose outcome is not known is sent again under the same message id
// until it is: the bus recognises it, so a conflict always means that somebody
// else has written.
package lease
