package containerd

// Bridge is the name of the node's bridge, by which tests find what is there.
func (r *Runtime) Bridge() string { return r.networks.Bridge() }
