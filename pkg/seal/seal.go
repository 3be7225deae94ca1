// Package seal puts credentials for a registry into boxes that only their
// addressee can open: the placers, or one node.
//
// Addressees have an xkey, a curve key of NATS (github.com/nats-io/nkeys), whose
// public half they tell everybody. A box is, in base64, the public xkey of its
// sender (56 characters) and then what the sender's Seal made for the
// addressee's; the sender makes a key of its own for every box and forgets it.
// Inside is the JSON of a messages.RegistryAuth. docs/protocol.md has an example.
//
// Errors are of class InvalidArgument and never show what a box held. A Key is
// safe for concurrent use.
package seal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/nats-io/nkeys"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// publicSize is the length of a public xkey.
const publicSize = 56

// Key opens the boxes that are sealed for it.
type Key struct {
	pair   nkeys.KeyPair
	public string
	seed   []byte
}

// NewKey makes a key.
func NewKey() (*Key, error) {
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		return nil, fmt.Errorf("make an xkey: %w", err)
	}
	seed, err := pair.Seed()
	if err != nil {
		return nil, fmt.Errorf("make an xkey: %w", err)
	}
	return KeyFrom(seed)
}

// KeyFrom is the key of a seed, which begins with SX.
func KeyFrom(seed []byte) (*Key, error) {
	pair, err := nkeys.FromCurveSeed(seed)
	if err != nil {
		return nil, fmt.Errorf("this is not the seed of an xkey, which begins with SX: %w", errdefs.ErrInvalidArgument)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("the public half of an xkey: %w", err)
	}
	return &Key{pair: pair, public: public, seed: append([]byte(nil), seed...)}, nil
}

// Public is what others seal for; it begins with X.
func (k *Key) Public() string { return k.public }

// Seed is the secret half, to be kept.
func (k *Key) Seed() []byte { return append([]byte(nil), k.seed...) }

// String hides the secret half.
func (k *Key) String() string { return "xkey " + k.public }

// GoString hides it from %#v as well.
func (k *Key) GoString() string { return k.String() }

// Seal puts credentials into a box for the holder of a public xkey. They must
// name their registry.
func Seal(auth messages.RegistryAuth, xkey string) (*messages.SealedAuth, error) {
	if !nkeys.IsValidPublicCurveKey(xkey) {
		return nil, fmt.Errorf("xkey: %q is not a public xkey, which begins with X: %w", xkey, errdefs.ErrInvalidArgument)
	}
	if err := check(auth); err != nil {
		return nil, err
	}
	inside, err := json.Marshal(auth)
	if err != nil {
		return nil, err
	}
	sender, err := NewKey()
	if err != nil {
		return nil, err
	}
	box, err := sender.pair.Seal(inside, xkey)
	if err != nil {
		return nil, fmt.Errorf("seal credentials for %s: %w", xkey, err)
	}
	return &messages.SealedAuth{Sealed: base64.StdEncoding.EncodeToString(append([]byte(sender.public), box...))}, nil
}

// Open is the credentials that a job brings along for its image, sealed for this
// key; nil when it brings none.
func (k *Key) Open(job *messages.Job) (*messages.RegistryAuth, error) {
	if job.Spec == nil || job.Spec.RegistryAuth == nil {
		return nil, nil
	}
	auth, err := k.open(job.Spec.RegistryAuth.Sealed)
	if err != nil {
		return nil, err
	}
	image := job.Spec.Image
	if job.Op == messages.OpPull {
		image = job.Args.Image
	}
	if registry, err := RegistryOf(image); err != nil || registry != auth.Registry {
		return nil, refuse("is for the registry %q, where the image %q is not", auth.Registry, image)
	}
	return auth, nil
}

func (k *Key) open(sealed string) (*messages.RegistryAuth, error) {
	box, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(box) <= publicSize || !nkeys.IsValidPublicCurveKey(string(box[:publicSize])) {
		return nil, refuse("is not a box; want base64 of the sender's public xkey and what it sealed for %s", k.public)
	}
	inside, err := k.pair.Open(box[publicSize:], string(box[:publicSize]))
	if err != nil {
		return nil, refuse("cannot be opened with %s: it was sealed for another xkey; want one sealed for the placers' "+
			"(their verb info tells it), or, in a direct command, for the node's (its verb info)", k.public)
	}
	var auth messages.RegistryAuth
	if json.Unmarshal(inside, &auth) != nil {
		return nil, refuse(`holds no credentials; want {"registry": "…", "username": "…", "password": "…"}`)
	}
	return &auth, check(auth)
}

// check refuses credentials that would not do.
func check(auth messages.RegistryAuth) error {
	switch auth.Kind {
	case "", messages.AuthBasic, messages.AuthToken:
	default:
		return refuse("holds credentials of the kind %q; want basic or token", auth.Kind)
	}
	if auth.Registry == "" {
		return refuse(`holds credentials for no registry; want "registry": host[:port] as in the image's reference, or docker.io`)
	}
	return nil
}

// RegistryOf is the registry of an image's reference; docker.io for one that
// names none.
func RegistryOf(image string) (string, error) {
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return "", fmt.Errorf("%q is not an image reference such as registry.example/team/web:1.4: %w: %w", image, errdefs.ErrInvalidArgument, err)
	}
	return reference.Domain(named), nil
}

func refuse(format string, args ...any) error {
	return &messages.Error{
		Code: messages.CodeInvalidArgument, Field: "spec.registry_auth.sealed", Message: fmt.Sprintf(format, args...),
	}
}
