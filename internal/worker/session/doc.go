// Package session is what an interactive exec has to keep in mind: which piece
// of the input is due, how much output the asker will take, and when it was last
// heard.
//
// It is pure: pieces, credit and the time come in as arguments, and what is to
// be done comes out. The loop around it (internal/worker) reads and writes. A
// State is not safe for concurrent use.
package session
