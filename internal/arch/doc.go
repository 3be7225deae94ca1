// Package arch holds the tests that keep the house in order: which package may
// import which, who may read a clock, how long a file may be. It has no code of
// its own.
//
// The rules are the table in rules_test.go. They speak of the code that ships:
// tests may import what they like. Imports are those of linux, windows and
// darwin together.
package arch
