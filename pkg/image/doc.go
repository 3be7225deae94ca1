// Package image answers which platforms an image is made for, from the local
// store or from its registry, before anything of it is pulled.
//
// A Resolver promises:
//
//   - The answer is the whole set of platforms, not the one that fits this
//     host: every entry of a multi-platform index with its os.version, nested
//     indexes included, attestations and other artifacts left out. A manifest
//     that stands alone is known by its config. OCI and Docker schema 2 images
//     are read alike.
//   - What is known by digest is never read again. A tag is checked with one
//     HEAD, as often as the pull policy demands: at every ask under always and
//     newer, when its last check has aged under if_not_present, and never, with
//     no request at all, under never. The local store is asked first.
//   - What was read with one set of credentials is given only to those whose
//     own credentials have opened the same image.
//   - Askers of the same image share one read. One who leaves does not disturb
//     the others; when the last one leaves, the read stops.
//   - Everything is bounded: the memory, the time of a read, the size of a
//     manifest, the depth and the number of reads of an index. Nothing is tried
//     twice; retrying is the caller's decision.
//
// Errors are of the classes of github.com/containerd/errdefs and name the image
// and the registry: InvalidArgument (the reference, the policy or the kind of
// credentials), NotFound, Unauthenticated, PermissionDenied, Unavailable (the
// network, a time-out, 429 and 5xx: the same ask may succeed later),
// FailedPrecondition (what the reference names is not a container image),
// NotImplemented (Docker schema 1) and DataLoss (an answer that cannot be
// read). A caller's own end is Canceled or DeadlineExceeded.
//
//	r := image.NewResolver(image.WithStore(store))
//	digest, platforms, err := r.Platforms(ctx, "nginx", messages.PullIfNotPresent, nil)
//
// A Resolver is safe for concurrent use. The functions PlatformsOf, Select,
// Matches and Normalize hold no state.
package image
