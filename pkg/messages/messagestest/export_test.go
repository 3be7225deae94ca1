package messagestest

// For the package's own tests.
var (
	ValidBody = validBody
	Incoming  = incoming
	Subject   = subjectOf
)

// HasWrongValues tells whether the table of wrong values has a message.
func HasWrongValues(message string) bool {
	_, ok := wrongs[message]
	return ok
}
