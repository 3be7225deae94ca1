// Package messagestest has examples of every message of the contract, and
// everything that can be wrong with one.
//
// Samples are valid messages, a full and a minimal one of each kind: the golden
// files and the seeds of the fuzz tests are made of them. Faults are bodies
// that a stranger may send on the subjects of the contract, with the error that
// each must be answered with; a test of a component sends them all and then
// sees that the component still works.
//
// The package imports nothing but package messages and the standard library.
package messagestest
