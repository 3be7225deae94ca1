package session

import (
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// MaxWaiting is how many bytes of input may wait: for a piece that is missing,
// or for a program that does not read.
const MaxWaiting = 1 << 20

// Overhead is what a piece counts beside its bytes, so that many empty ones are
// not free.
const Overhead = 64

// Piece is one message of input. An empty one is the end of it.
type Piece struct {
	Data  []byte
	Reply string // where the asker wants to hear that it was taken; "": nowhere
}

// input puts pieces in order. The bus keeps the order of one sender; a sender
// that reconnects may send a piece twice, or lose one.
type input struct {
	next   uint64 // the number of the piece that is due, less one
	early  map[uint64]Piece
	due    []Piece
	size   int // of what waits, in bytes
	closed bool
}

// put takes in a piece; number 0 is the one that is due. What was put before is
// dropped, as is what comes behind the end.
func (in *input) put(number uint64, p Piece) error {
	if number == 0 {
		number = in.next + 1
	}
	if _, twice := in.early[number]; in.closed || number <= in.next || twice {
		return nil
	}
	if in.size+len(p.Data)+Overhead > MaxWaiting {
		return &messages.Error{Code: messages.CodeResourceExhausted, Message: fmt.Sprintf(
			"more than %d bytes of input wait, for piece %d or for the program to read; send pieces as requests, which are answered when the program has taken them", MaxWaiting, in.next+1)}
	}
	if in.early == nil {
		in.early = map[uint64]Piece{}
	}
	in.early[number] = p
	in.size += len(p.Data) + Overhead
	for !in.closed {
		p, ok := in.early[in.next+1]
		if !ok {
			break
		}
		in.next++
		delete(in.early, in.next)
		in.due = append(in.due, p)
		in.closed = len(p.Data) == 0
	}
	return nil
}

// take is the piece that is to be written now.
func (in *input) take() (Piece, bool) {
	if len(in.due) == 0 {
		return Piece{}, false
	}
	p := in.due[0]
	in.due = in.due[1:]
	in.size -= len(p.Data) + Overhead
	return p, true
}

// gap tells whether a piece is missing before one that is there.
func (in *input) gap() bool { return len(in.early) > 0 && !in.closed }
