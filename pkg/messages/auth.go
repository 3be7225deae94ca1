package messages

import (
	"encoding/json"
	"maps"
	"slices"
)

// SealedAuth carries registry credentials in a box that only its addressee can
// open: the placers' xkey from a scheduler, the node's xkey from a placer.
type SealedAuth struct {
	Sealed string `json:"sealed"` // base64 of the sealed JSON of a RegistryAuth
}

// UnmarshalJSON refuses everything but a sealed box, so that plain credentials
// are stopped where they come in.
func (s *SealedAuth) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return &Error{Code: CodeMalformed, Message: "is not an object; " + wantSealed}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "sealed" {
			return &Error{Code: CodeInvalidArgument, Field: name, Message: "plain credentials are refused; " + wantSealed}
		}
		if err := json.Unmarshal(fields[name], &s.Sealed); err != nil {
			return &Error{Code: CodeMalformed, Field: name, Message: "is not a string; " + wantSealed}
		}
	}
	return nil
}

// wantSealed is what errors ask for. They never show what they were given,
// since that may be a secret in the wrong place.
const wantSealed = `want {"sealed": "<box for the placers' xkey>"}`

// AuthKind is the kind of a registry's credentials.
type AuthKind string

// The kinds of credentials.
const (
	AuthBasic AuthKind = "basic"
	AuthToken AuthKind = "token"
)

// RegistryAuth are credentials for a registry: what a SealedAuth's box holds.
// It never travels on its own and never prints its secret.
type RegistryAuth struct {
	// Registry is the host[:port] that they are for, as in the references of its
	// images; docker.io for Docker Hub. They are shown to no other.
	Registry string   `json:"registry,omitzero"`
	Username string   `json:"username,omitzero"`
	Password string   `json:"password,omitzero"` // the token itself for AuthToken
	Kind     AuthKind `json:"kind,omitzero"`     // default: basic
}

// String hides the secret, so that a log line cannot leak it.
func (a RegistryAuth) String() string { return "registry credentials of " + quote(a.Username) }

// GoString hides the secret from %#v as well.
func (a RegistryAuth) GoString() string { return a.String() }
