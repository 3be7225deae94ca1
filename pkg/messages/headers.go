package messages

// Headers of the contract.
const (
	HeaderMsgID       = "Nats-Msg-Id"
	HeaderExpectSeq   = "Nats-Expected-Last-Subject-Sequence"
	HeaderErrorCode   = "Nats-Service-Error-Code" // an HTTP-like number
	HeaderError       = "Nats-Service-Error"      // "code: message"
	HeaderStatus      = "Status"                  // 204 on the frame that ends a stream
	HeaderWait        = "Shunt-Wait"              // a command: answer with the last outcome
	HeaderJournal     = "Shunt-Journal"           // a placer's command: the journal it is for
	HeaderLease       = "Shunt-Lease"             // a placer's command under a lease: the lease's sequence when it was sent
	HeaderFingerprint = "Shunt-Fingerprint"       // a placer's command: the fingerprint of the job as it was submitted
	HeaderSeq         = "Shunt-Seq"               // of a frame, from 1
	HeaderStream      = "Shunt-Stream"            // stdout | stderr
	HeaderAt          = "Shunt-At"                // of a log frame: when the first of it was written, RFC 3339 with nanoseconds
	HeaderUntil       = "Shunt-Until"             // of a log frame: when the last of it was written, if that was later
	HeaderUntilBytes  = "Shunt-Until-Bytes"       // how many bytes at its end were written then
	HeaderBeat        = "Shunt-Beat"              // 1: a silent stream is alive
	HeaderExitCode    = "Shunt-Exit-Code"         // on the end of an exec
	HeaderTraceParent = "traceparent"
	HeaderTraceState  = "tracestate"
)

// StatusEnd is the value of HeaderStatus on the empty message that ends a
// streamed answer (ADR-47's sentinel).
const StatusEnd = "204"

// HTTPStatus is the HTTP-like number that stands for a code in HeaderErrorCode.
func (c Code) HTTPStatus() int {
	switch c {
	case CodeInvalidArgument, CodeOutOfRange, CodeUnsupportedVersion, CodeMalformed:
		return 400
	case CodeUnauthenticated:
		return 401
	case CodePermissionDenied:
		return 403
	case CodeNotFound:
		return 404
	case CodeAlreadyExists, CodeConflict, CodeAborted, CodeIDConflict, CodeWrongIncarnation:
		return 409
	case CodeExpired:
		return 410
	case CodeFailedPrecondition:
		return 412
	case CodeTooLarge:
		return 413
	case CodeResourceExhausted:
		return 429
	case CodeCanceled:
		return 499
	case CodeNotImplemented:
		return 501
	case CodeUnavailable:
		return 503
	case CodeDeadlineExceeded:
		return 504
	}
	return 500
}
