package messages

// Version is the version of the contract this package speaks.
const Version = 1

// Limits of the contract. Sizes are bytes of the encoded message.
const (
	MaxTokenLength   = 128       // runes of a node, job, service or session name
	MaxJobSize       = 128 << 10 // an encoded Job
	MaxMessageSize   = 512 << 10 // every other encoded message
	MaxBusPayload    = 1 << 20   // what the bus itself must be able to carry
	MaxReasonLength  = 1 << 10   // a reason, wherever one is given
	MaxRefused       = 64        // refusals a Job or a Record remembers
	MaxHistory       = 64        // events a Record remembers; the middle goes first
	MaxImages        = 64        // image digests in a heartbeat
	MaxPeersNamed    = 8         // peers named in a refusal
	MaxCursorLength  = 2 << 10   // where a page begins; an image's is its reference, digest and runtime
	MaxFrameSize     = 32 << 10  // one frame of a streamed answer
	MaxCapturedBytes = 64 << 10  // stdout, and stderr, of a batch exec
	MaxCheckOutput   = 4 << 10   // what a health check said last
	MaxPageSize      = 1000      // entries of one page of a list
	DefaultPageSize  = 100       // entries of a page when the request names no limit
)

// PlacerNode is the node token that placers use where a subject or a message
// names a node: `shunt.outcome._placer.<job>`, `shunt.event._placer.<kind>`.
const PlacerNode = "_placer"

// TruncateReason cuts a reason to MaxReasonLength without splitting a rune, and
// marks that it did.
func TruncateReason(reason string) string {
	const mark = " […]"
	if len(reason) <= MaxReasonLength {
		return reason
	}
	cut := MaxReasonLength - len(mark)
	for cut > 0 && reason[cut]&0xC0 == 0x80 {
		cut--
	}
	return reason[:cut] + mark
}
