package messages

// Validate checks the page of containers.
func (r *ListReply) Validate() error {
	return first(checkV(r.V), each("containers", r.Containers, (*ContainerInfo).Validate))
}

// Validate checks a container in a list.
func (c *ContainerInfo) Validate() error {
	return first(
		CheckToken("container", c.Container),
		tokenOrNone("job", c.Job),
		required("state", c.State, "where the container stands, such as running"),
		tokenOrNone("runtime", c.Runtime),
	)
}

// Validate checks everything known of a container.
func (r *InspectReply) Validate() error {
	if err := first(
		checkV(r.V),
		r.ContainerInfo.Validate(),
		exitCodeOrNone("exit_code", r.ExitCode),
		exitReasonOrNone("exit_reason", r.ExitReason),
		notNegative("pid", r.PID),
		addressOrNone("ip", r.IP),
		digestOrNone("image_digest", r.ImageDigest),
		under("platform", r.Platform.Validate()),
		each("ports", r.Ports, (*Port).Validate),
		each("networks", r.Networks, (*Network).Validate),
		under("health", r.Health.validate()),
		tokenOrNone("service", r.Service),
	); err != nil || r.Spec == nil {
		return err
	}
	return under("spec", r.Spec.Validate())
}

// Validate checks a network.
func (n *Network) Validate() error {
	return first(required("network", n.Network, "a network's name"), addressOrNone("ipv4", n.IPv4))
}

func (h *HealthStatus) validate() error {
	if h == nil {
		return nil
	}
	return first(
		oneOf("status", h.Status, "starting", "healthy", "unhealthy"),
		notNegative("failing_streak", h.FailingStreak),
		checkLength("last_output", h.LastOutput, MaxCheckOutput),
	)
}

// Validate checks where a container stands.
func (r *StateReply) Validate() error {
	return first(
		checkV(r.V),
		required("state", r.State, "where the container stands, such as running"),
		exitCodeOrNone("exit_code", r.ExitCode),
		exitReasonOrNone("exit_reason", r.ExitReason),
		notNegative("pid", r.PID),
		addressOrNone("ip", r.IP),
	)
}

// Validate checks the version; every figure is one that a container can have.
func (s *Stats) Validate() error { return checkV(s.V) }

// Validate checks the page of images.
func (r *ImagesReply) Validate() error {
	return first(checkV(r.V), each("images", r.Images, (*ImageInfo).Validate))
}

// Validate checks an image.
func (i *ImageInfo) Validate() error {
	return first(
		required("reference", i.Reference, imageRule),
		referenceOrNone("reference", i.Reference),
		digestOrNone("digest", i.Digest),
		notNegative("size", i.Size),
		each("platforms", i.Platforms, func(p *Platform) error { return p.Validate() }),
		tokenOrNone("runtime", i.Runtime),
	)
}

// Validate checks how a container ended. Of one that was removed nothing need
// be known.
func (r *WaitReply) Validate() error {
	return first(
		checkV(r.V),
		exitCodeOrNone("exit_code", &r.ExitCode),
		exitReasonOrNone("exit_reason", r.ExitReason),
		signalNumberOrNone("signal", r.Signal),
	)
}

// Validate checks the page of nodes.
func (r *NodesReply) Validate() error {
	return first(checkV(r.V), each("nodes", r.Nodes, (*NodeInfo).Validate))
}

// Validate checks a node's last heartbeat and what is thought of it.
func (n *NodeInfo) Validate() error {
	return first(
		n.Capabilities.Validate(),
		checkDuration("age", n.Age),
		oneOfOrNone("state", n.State, NodeAlive, NodeDraining, NodeLost, NodeLeft, NodeQuarantined),
	)
}

// Validate checks what a worker says of itself.
func (r *InfoReply) Validate() error {
	return first(
		checkV(r.V),
		CheckToken("node", r.Node),
		checkIncarnation("incarnation", r.Incarnation),
		each("runtimes", r.Runtimes, (*RuntimeInfo).Validate),
	)
}

// Validate checks a runtime.
func (r *RuntimeInfo) Validate() error {
	return first(
		CheckToken("name", r.Name),
		required("kind", r.Kind, "a runtime's kind, such as containerd, memory or remote"),
		each("platforms", r.Platforms, func(p *Platform) error { return p.Validate() }),
	)
}

// Validate checks how far a drain is.
func (r *DrainReply) Validate() error {
	return first(checkV(r.V), tokenOrNone("node", r.Node), notNegative("left", r.Left))
}
